"""Hacker News, and whoever speaks its Algolia search API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from pydantic import Field
from typing_extensions import override

from core.types import Post
from crawlers import reach
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    KnownPost,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import DriftError, ParseError
from crawlers.families.hackernews_items import as_hit, post_of
from crawlers.reading.answers import read, unexpected
from crawlers.reading.json_body import (
    Json,
    at,
    count,
    listed,
    name_of,
    parse_json,
)
from crawlers.reading.web_address import WebAddress, page_number, query_of, with_query

PER_PAGE = 100
#: A comment can be edited for two hours, and the index lags behind the site.
OVERLAP = timedelta(hours=3)
_API = "https://hn.algolia.com"
_ITEMS = "https://hacker-news.firebaseio.com"
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
    items_url: WebAddress | None = Field(
        default=None, description="of the site's own API, where items are looked up again"
    )


class HackerNews(Spider):
    """Newest first, in pages of a hundred; the API gives no more than a thousand hits a search.

    Where there are more, the walk goes on with a search for what is older than the last one. The
    search forgets what was deleted; so items are looked up again in the site's own API, whose
    answers were not recorded: read as https://github.com/HackerNews/API describes them.
    """

    kind = "hackernews"
    title = "Hacker News search"
    family = Family.JSON_API
    config = HackerNewsConfig
    minimum_interval_seconds = 60
    is_verified = True
    is_gapless = True
    promise = Promise(filled={"author": 0.95, "published_at": 0.99})

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

    @override
    def recheck(self, config: HackerNewsConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Look one item up; another site's search has none unless it is set."""
        base = config.items_url or (_ITEMS if config.base_url.rstrip("/") == _API else None)
        if base is None or not posts or not posts[0].external_id.isdigit():
            return None
        return Request(
            url=f"{base.rstrip('/')}/v0/item/{posts[0].external_id}.json",
            headers={"Accept": "application/json"},
        )

    @override
    def parse_recheck(
        self, fetched: Fetched, config: HackerNewsConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """The item, or the word that it is deleted or was taken out of sight ("dead")."""
        item = parse_json(read(fetched), what="the item")
        known_post = next((p for p in posts if p.external_id == name_of(at(item, "id"))), None)
        if known_post is None:
            return Page()
        if at(item, "deleted") is True or at(item, "dead") is True:
            return Page(gone=(known_post.external_id,))
        one = _read(as_hit(item), fetched, config)
        if isinstance(one, Problem):
            return Page(problems=(one,))
        # The item does not say to which story it belongs, and the search did.
        return Page(posts=(replace(one, extra={**known_post.extra, **one.extra}),))


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
    base = config.base_url.rstrip("/")
    try:
        return post_of(hit, fetched, site=_SITE if base == _API else base)
    except ParseError as error:
        external_id = name_of(at(hit, "objectID"))
        return Problem(
            reason=str(error), url=fetched.url, external_id=external_id, excerpt=error.excerpt
        )
