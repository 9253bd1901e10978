"""Hacker News, and whoever speaks its Algolia search API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind, PublishedQuality
from crawlers import reach
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Problem, Request, Spider
from crawlers.errors import DriftError, ParseError
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import (
    Json,
    at,
    count,
    counts,
    known,
    listed,
    name_of,
    parse_json,
    words,
)
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, page_number, query_of, with_query

PER_PAGE = 100
#: A comment can be edited for two hours, and the index lags behind the site.
OVERLAP = timedelta(hours=3)
_API = "https://hn.algolia.com"
_SITE = "https://news.ycombinator.com"
_UNTIL = re.compile(r"created_at_i<(?P<until>\d{1,12})")


class HackerNewsConfig(Config):
    """A search; words are all wanted, a phrase stands in quotes."""

    query: str = Field(min_length=1, max_length=512)
    tags: str = Field(
        default="(story,comment,poll)",
        max_length=200,
        pattern=r"^[A-Za-z0-9_,()]*$",
        description="Algolia tags: commas mean and, inside parentheses or",
    )
    base_url: WebAddress = _API


class HackerNews(Spider):
    """Newest first, in pages of a hundred; the API gives no more than a thousand hits a search.

    Where there are more, the walk goes on with a search for what is older than the last one.
    """

    kind = "hackernews"
    title = "Hacker News search"
    family = Family.JSON_API
    config = HackerNewsConfig
    minimum_interval_seconds = 60
    is_verified = True

    @override
    def start(self, config: HackerNewsConfig, *, cursor: Cursor) -> Request:
        """Ask for what is newer than the cursor less the overlap."""
        return _search(config, cursor=cursor, page=0, until=None)

    @override
    def parse(
        self, fetched: Fetched, config: HackerNewsConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read one page of hits."""
        answer = _answer(fetched)
        hits = listed(answer["hits"])
        if not hits and page_number(fetched.url, default=0) == 0 and count(at(answer, "nbHits")):
            raise DriftError(f"the search says {answer['nbHits']} hits and lists none")
        read_hits = [_read(hit, fetched, config) for hit in hits]
        posts = tuple(hit for hit in read_hits if isinstance(hit, Post))
        return Page(
            posts=posts,
            problems=tuple(hit for hit in read_hits if isinstance(hit, Problem)),
            next=_next(answer, posts, fetched, config, cursor=cursor),
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            announced=len(hits),
        )


def _search(config: HackerNewsConfig, *, cursor: Cursor, page: int, until: int | None) -> Request:
    newest = reach.newest_of(cursor)
    bounds = [f"created_at_i>{int((newest - OVERLAP).timestamp())}"] if newest else []
    bounds += [f"created_at_i<{until}"] if until is not None else []
    return Request(
        url=with_query(
            f"{config.base_url.rstrip('/')}/api/v1/search_by_date",
            query=config.query,
            tags=config.tags or None,
            numericFilters=",".join(bounds) or None,
            hitsPerPage=PER_PAGE,
            page=page,
        ),
        headers={"Accept": "application/json"},
    )


def _answer(fetched: Fetched) -> Mapping[str, Json]:
    text = read(fetched)
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise unexpected(fetched, text, lacks="search answer")
    answer = parse_json(text, what="the search answer")
    if not isinstance(answer, Mapping) or not isinstance(answer.get("hits"), list):
        keys = ", ".join(map(str, list(answer)[:8])) if isinstance(answer, Mapping) else "none"
        raise DriftError(f"the answer is no search result: it has no list of hits (keys: {keys})")
    return answer


def _next(
    answer: Mapping[str, Json],
    posts: tuple[Post, ...],
    fetched: Fetched,
    config: HackerNewsConfig,
    *,
    cursor: Cursor,
) -> Request | None:
    page, until = page_number(fetched.url, default=0), _until(fetched.url)
    pages, total = count(answer.get("nbPages")) or 0, count(answer.get("nbHits")) or 0
    if not answer["hits"]:
        return None
    if page + 1 < pages:
        return _search(config, cursor=cursor, page=page + 1, until=until)
    size = count(answer.get("hitsPerPage")) or PER_PAGE
    times = [int(post.published_at.timestamp()) for post in posts if post.published_at]
    if total <= pages * size or not times:
        return None
    if until is not None and max(times) >= until:
        raise DriftError("the search does not heed the bound that it was given")
    # One second more: others of the same second may stand behind the limit of the search.
    older = min(times) + 1
    if until is not None and older >= until:
        older = until - 1
    return _search(config, cursor=cursor, page=0, until=older)


def _until(url: str) -> int | None:
    found = _UNTIL.search(query_of(url).get("numericFilters", ""))
    return int(found["until"]) if found else None


def _read(hit: Json, fetched: Fetched, config: HackerNewsConfig) -> Post | Problem:
    try:
        return _post(hit, fetched, config)
    except ParseError as error:
        external_id = name_of(at(hit, "objectID"))
        return Problem(
            reason=str(error), url=fetched.url, external_id=external_id, excerpt=error.excerpt
        )


def _post(hit: Json, fetched: Fetched, config: HackerNewsConfig) -> Post:
    external_id = name_of(at(hit, "objectID"))
    if external_id is None:
        raise ParseError("objectID", url=fetched.url, item=hit)
    comment, story = words(at(hit, "comment_text")), words(at(hit, "story_text"))
    title = words(text_of(words(at(hit, "title")) or ""))
    text = text_of(comment or story or "")
    if not text and not title:
        raise ParseError("text", url=fetched.url, item=hit)
    published_at, quality = _published(hit, fetched)
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=_item(external_id, config),
        kind=PostKind.COMMENT if comment else PostKind.POST,
        author=words(at(hit, "author")),
        author_id=words(at(hit, "author")),
        published_at=published_at,
        published_quality=quality,
        parent_id=name_of(at(hit, "parent_id")),
        engagement=counts(points=count(at(hit, "points")), comments=count(at(hit, "num_comments"))),
        extra=_extra(hit),
    )


def _published(hit: Json, fetched: Fetched) -> tuple[datetime | None, PublishedQuality]:
    seconds, written = count(at(hit, "created_at_i")), words(at(hit, "created_at"))
    now = fetched.fetched_at.astimezone(UTC)
    found = read_date(str(seconds) if seconds is not None else None, now=now)
    return found if found[0] is not None else read_date(written, now=now)


def _item(external_id: str, config: HackerNewsConfig) -> str:
    site = _SITE if config.base_url.rstrip("/") == _API else config.base_url.rstrip("/")
    return with_query(f"{site}/item", id=external_id)


def _extra(hit: Json) -> dict[str, Any]:
    tags = [tag for tag in listed(at(hit, "_tags")) if isinstance(tag, str)]
    return known(
        link=words(at(hit, "url")),
        story_id=name_of(at(hit, "story_id")),
        story_title=words(at(hit, "story_title")),
        tags=[tag for tag in tags if not tag.startswith(("author_", "story_"))],
    )
