"""isso: the comments that a static site has of its own server.

Format: isso-comments.de/docs/reference/server-api, ``GET /?uri=…&nested_limit=…``. Unverified: no
answer was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Fetched, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import Json, at, count, counts, listed, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, with_query

_DELETED = 4  #: of ``mode``: kept only for the answers below it
_PENDING = 2  #: waits for a moderator


class IssoConfig(Config):
    """A thread, by the comment server and the path of the article."""

    url: WebAddress = Field(description="of the comment server, e.g. https://comments.site.example")
    article: str = Field(min_length=1, max_length=1000, pattern=r"^/", description="its path")
    site: WebAddress | None = Field(default=None, description="where the article itself stands")


class Isso(JsonSpider):
    """All comments of one article at once, with those that answer them.

    Its older servers answer 404 for an article without comments, and so does a wrong address: an
    error, for silence would hide the second.
    """

    kind = "isso"
    title = "isso comments"
    config = IssoConfig
    minimum_interval_seconds = 300
    is_verified = False
    is_gapless = True
    items_at = ("replies",)
    most_items = 10_000  # it knows no pages
    promise = Promise(filled={"text": 1.0, "published_at": 1.0})

    @override
    def start(self, config: IssoConfig, *, cursor: Cursor) -> Request:
        """The whole thread."""
        address = with_query(config.url.rstrip("/") + "/", uri=config.article, sort="newest")
        return Request(url=address, headers={"Accept": "application/json"})

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """Comments and their answers; isso nests them one level deep."""
        found = list(_with_answers(super().items(body, fetched)))
        total = count(at(body, "total_replies"))
        if total and not found:
            raise DriftError(f"the server says {total} comments and lists none")
        return found

    @override
    def post(self, item: Json, fetched: Fetched, config: IssoConfig) -> Post | None:
        """One comment; its times are seconds since 1970."""
        if at(item, "mode") == _PENDING:
            return None
        external_id = name_of(at(item, "id"))
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        text, is_deleted = text_of(words(at(item, "text")) or ""), at(item, "mode") == _DELETED
        if not text and not is_deleted:
            raise ParseError("text", url=fetched.url, item=item)
        published_at, quality = read_date(_seconds(item, "created"), now=fetched.fetched_at)
        base = (config.site or config.url).rstrip("/")
        return Post(
            external_id=external_id,
            text=text,
            url=f"{base}{config.article}#isso-{external_id}",
            kind=PostKind.COMMENT,
            author=words(at(item, "author")),
            author_id=words(at(item, "hash")),
            published_at=published_at,
            published_quality=quality,
            edited_at=read_date(_seconds(item, "modified"), now=fetched.fetched_at)[0],
            parent_id=name_of(at(item, "parent")),
            is_deleted=is_deleted,
            engagement=counts(likes=count(at(item, "likes")), dislikes=count(at(item, "dislikes"))),
        )


def _with_answers(items: Any) -> Iterator[Json]:
    for item in items:
        yield item
        yield from listed(at(item, "replies"))


def _seconds(item: Json, key: str) -> str | None:
    value = at(item, key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(int(value)) if is_number and 0 < value < 10**10 else None
