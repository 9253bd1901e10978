"""Saved pages and what must be read from them, for the tests of every spider.

``pages/<kind>/<name>.<ending>`` stands beside ``<name>.expected.json``. That holds the page as it
must be read, or the error, and under ``given`` what differs from the usual request. The params of
the source that is asked are in ``pages/<kind>.json``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Config, Cursor, Fetched, Page
from crawlers.errors import CrawlError

FOLDER = Path(__file__).parent / "pages"
FETCHED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ENDINGS = (".xml", ".json", ".html")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """One page in the folder, and the circumstances in which it is read."""

    kind: str
    path: Path

    @property
    def expectation(self) -> Path:
        """The file that says what must be read."""
        return self.path.with_suffix(".expected.json")

    @property
    def expected(self) -> dict[str, Any]:
        """What must be read; a page without it is a mistake of whoever saved it."""
        found: dict[str, Any] = json.loads(self.expectation.read_text("utf-8"))
        return found

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        """Run the spider and write down what it found as plain JSON."""
        body = self.path.read_bytes()
        try:
            page = parse(self.kind, body, **given)
        except CrawlError as error:
            return {"error": type(error).__name__, "says": str(error)}
        return written(page)


def saved_pages(kind: str | None = None) -> list[SavedPage]:
    """Every saved page, of one kind or of all."""
    return [
        SavedPage(kind=path.parent.name, path=path)
        for path in sorted(FOLDER.glob(f"{kind or '*'}/*"))
        if path.suffix in ENDINGS and not path.name.endswith(".expected.json")
    ]


def config_of(kind: str) -> dict[str, Any]:
    """The params of the source whose pages were saved."""
    found: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    return found


def parse(
    kind: str,
    body: bytes,
    *,
    config: dict[str, Any] | None = None,
    url: str | None = None,
    status: int = 200,
    content_type: str = "",
    fetched_at: datetime | str = FETCHED_AT,
    cursor: Cursor | None = None,
    ahead: Cursor | None = None,
    state: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    time_zone: str = "UTC",
) -> Page:
    """Let the spider of a kind read a body as the answer to its first request."""
    spider = spiders()[kind]
    checked: Config = spider.config(**(config_of(kind) | (config or {})))
    cursor = cursor or {}
    moment = datetime.fromisoformat(fetched_at) if isinstance(fetched_at, str) else fetched_at
    fetched = Fetched(
        url=url or spider.start(checked, cursor=cursor).url,
        status=status,
        headers=({"content-type": content_type} if content_type else {}) | (headers or {}),
        body=body,
        fetched_at=moment,
        time_zone=time_zone,
        state=state or {},
    )
    return spider.parse(fetched, checked, cursor=cursor, ahead=cursor if ahead is None else ahead)


def written(page: Page) -> dict[str, Any]:
    """A page as JSON, without the fields that say nothing."""
    found: dict[str, Any] = {
        "posts": [_post(post) for post in page.posts],
        "problems": [
            {key: value for key, value in asdict(problem).items() if key != "excerpt" and value}
            for problem in page.problems
        ],
        "next": page.next.url if page.next else None,
        "ahead": dict(page.ahead),
        "announced": page.announced,
    }
    if page.next and page.next.state:
        found["next_state"] = dict(page.next.state)
    if page.gone:
        found["gone"] = list(page.gone)
    if page.dead_end:
        found["dead_end"] = f"{type(page.dead_end).__name__}: {page.dead_end}"
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def _post(post: Post) -> dict[str, Any]:
    values = {field.name: getattr(post, field.name) for field in fields(post)}
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}
    return {key: value for key, value in plain.items() if value not in (None, {}, False)}
