"""Let a spider read one answer, and follow a run of answers as the engine does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Cursor, Fetched, Page, Request
from crawlers.errors import CrawlError
from tests.crawlers.saved_pages import FETCHED_AT, config_of

Json = dict[str, Any]


def answer_to(
    request: Request,
    body: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    at: datetime = FETCHED_AT,
) -> Fetched:
    """A JSON answer to a request."""
    return Fetched(
        url=request.url,
        status=status,
        headers=headers or {},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        fetched_at=at,
        state=json.loads(json.dumps(dict(request.state))),
    )


def explained(
    kind: str, body: object, *, status: int, headers: Mapping[str, str] | None = None, url: str = ""
) -> CrawlError | None:
    """What a spider says of a refusal."""
    spider = spiders()[kind]
    config = spider.config(**config_of(kind))
    request = Request(url=url) if url else spider.start(config, cursor={})
    return spider.explain(answer_to(request, body, status=status, headers=headers), config)


def walk(
    kind: str,
    site: Callable[[Request], object],
    *,
    config: Json | None = None,
    cursor: Cursor | None = None,
    at: datetime = FETCHED_AT,
) -> tuple[list[Page], list[Request]]:
    """Follow a run to its end; a site that answers with a status and a body refuses."""
    spider, cursor = spiders()[kind], cursor or {}
    checked = spider.config(**(config if config is not None else config_of(kind)))
    request, ahead = spider.start(checked, cursor=cursor), cursor
    pages: list[Page] = []
    asked: list[Request] = []
    while len(asked) < 100:
        asked.append(request)
        said = site(request)
        status, body = said if isinstance(said, tuple) else (200, said)
        fetched = answer_to(request, body, status=status, at=at)
        assert status == 200 or spider.explain(fetched, checked) is None
        assert status == 200 or status in spider.read_statuses
        page = spider.parse(fetched, checked, cursor=cursor, ahead=ahead)
        pages.append(page)
        if page.next is None:
            return pages, asked
        ahead, request = json.loads(json.dumps(dict(page.ahead))), page.next
    raise AssertionError("the run does not end")


def posts_of(pages: list[Page]) -> list[Post]:
    """The posts of all pages."""
    return [post for page in pages for post in page.posts]
