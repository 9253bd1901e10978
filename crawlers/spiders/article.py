"""Article pages of any site: the text by trafilatura, one page or those that a list links.

A page of articles carries no mark of its own that says "this is all of it"; the library looks for
the part that reads like a text, so a page without one is *drift*.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

from parsel import Selector
from pydantic import Field, field_validator
from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import CrawlError, DriftError
from crawlers.families import tries
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import ReadDate, first_date
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import tidy, tree_of
from crawlers.reading.web_address import WebAddress, joined

_LEAST_CHARS: Final = 80  #: shorter texts are menus and notices about cookies
_MOST_CHARS: Final = 2_000_000  #: of a page given to the library, which is slow on larger ones
_HEAD: Final = 10_000
_REMEMBERED: Final = 500  #: links whose article was read, so that a list costs one request
_SEEN: Final = "seen"
_GONE: Final = frozenset({404, 410})


class ArticleConfig(Config):
    """One article, or a page that lists articles of the same site."""

    url: WebAddress
    links: str | None = Field(
        default=None,
        max_length=300,
        description="CSS of the links in a list of articles, e.g. 'h2 a'; without it url is one",
    )
    most: int = Field(default=20, ge=1, le=100, description="articles that one run reads")

    @field_validator("links")
    @classmethod
    def _is_css(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                Selector(text="<i/>").css(value)
            except ValueError as error:
                raise ValueError(f"no CSS selector: {error}") from None
        return value


class Article(Spider):
    """The text of articles, without what stands around it."""

    kind = "article"
    title = "Article pages"
    family = Family.CARDS
    config = ArticleConfig
    minimum_interval_seconds = 600
    is_verified = False
    promise = Promise(filled={"text": 1.0, "title": 0.8})
    read_statuses = _GONE

    @override
    def start(self, config: ArticleConfig, *, cursor: Cursor) -> Request:
        """The list, or the article itself; articles of an unchanged list may still wait."""
        return Request(url=config.url, may_be_unchanged=config.links is None)

    @override
    def parse(
        self, fetched: Fetched, config: ArticleConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """A list gives the first of its new articles, an article the next that waits."""
        if config.links is not None and "waiting" not in fetched.state:
            return _list(fetched, read(fetched), config, cursor)
        waiting = [str(link) for link in fetched.state.get("waiting", ())]
        asked = str(fetched.state.get("asked", config.url))
        posts: tuple[Post, ...] = ()
        problems: tuple[Problem, ...] = ()
        try:
            posts = (_post(fetched, read(fetched), asked),)
        except CrawlError as error:
            if config.links is None:
                raise
            # One that is gone or lies behind a wall must not keep those that wait from being read.
            problems = (Problem(reason=str(error), url=fetched.url, external_id=asked),)
        is_over = bool(posts) or fetched.status in _GONE
        moved = reach.moved(ahead, posts, now=fetched.fetched_at)
        return Page(
            posts=posts,
            problems=problems,
            next=_next(waiting),
            ahead=_remembering(moved, asked) if is_over else _trying(moved, asked),
            announced=len(posts) + len(problems),
            is_single=config.links is not None,
        )

    @override
    def skip(
        self, request: Request, config: ArticleConfig, *, reason: str, ahead: Cursor
    ) -> Page | None:
        """An article, never the list."""
        if "waiting" not in request.state:
            return None
        asked = str(request.state.get("asked", request.url))
        return Page(
            problems=(Problem(reason=reason, url=request.url, external_id=asked),),
            next=_next([str(link) for link in request.state["waiting"]]),
            ahead=_trying(ahead, asked),
            announced=1,
            is_single=True,
        )


def _list(fetched: Fetched, text: str, config: ArticleConfig, cursor: Cursor) -> Page:
    tree = tree_of(text)
    found = tree.css(config.links or "").css("::attr(href)").getall()
    own = urlsplit(config.url).netloc
    # "…/a/1.html#comments" is a link to the same article.
    links = (urldefrag(joined(fetched.url, link) or "").url for link in found)
    all_of_it = list(dict.fromkeys(link for link in links if urlsplit(link).netloc == own))
    if not all_of_it:
        raise unexpected(fetched, text, lacks=f"link to an article of its own ({config.links})")
    seen = {*map(str, cursor.get(_SEEN, ()))}
    fresh = [link for link in all_of_it if _key(link) not in seen][: config.most]
    return Page(next=_next(fresh), ahead=dict(cursor), announced=0)


def _next(waiting: list[str]) -> Request | None:
    if not waiting:
        return None
    return Request(url=waiting[0], state={"asked": waiting[0], "waiting": waiting[1:]})


def _remembering(ahead: Cursor, asked: str) -> Mapping[str, Any]:
    seen = [key for key in map(str, ahead.get(_SEEN, ())) if key != _key(asked)]
    others = tries.settled(ahead, _key(asked))
    return {**others, _SEEN: [*seen, _key(asked)][-_REMEMBERED:]}


def _trying(ahead: Cursor, asked: str) -> Mapping[str, Any]:
    """A wall may be there for an hour only: what is behind it is asked for some times more."""
    more = tries.tried(ahead, _key(asked))
    return _remembering(more, asked) if tries.is_given_up(more, _key(asked)) else more


def _key(link: str) -> str:
    return hashlib.sha256(link.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Extracted:
    text: str
    title: str | None
    author: str | None
    date: str | None
    language: str | None
    site: str | None


def _extracted(text: str, url: str) -> _Extracted | None:
    """What the library finds; None where it finds nothing, or breaks."""
    import trafilatura  # here, for it takes longer to load than the rest of a crawl process

    # It logs an error for every page that is no article; we say so in words of our own.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        found = trafilatura.bare_extraction(
            text[:_MOST_CHARS], url=url, include_comments=False, with_metadata=True
        )
    except Exception:  # it raises whatever lxml, dateparser or its own code raises
        return None
    if found is None or isinstance(found, dict):
        return None
    return _Extracted(
        tidy(found.text or ""), words(found.title), words(found.author), words(found.date),
        words(found.language), words(found.sitename),
    )  # fmt: skip


def _post(fetched: Fetched, text: str, asked: str) -> Post:
    if "<" not in text[:_HEAD]:
        raise DriftError("the answer is no page: it holds no HTML")
    tree = tree_of(text)  # a page too deep to be read whole is told, and not half read
    found = _extracted(text, fetched.url)
    if found is None or len(found.text) < _LEAST_CHARS:
        raise unexpected(fetched, text, lacks="article")
    published_at, quality = _date(tree, found, fetched)
    return Post(
        external_id=asked,
        text=found.text,
        title=found.title,
        url=fetched.url,
        kind=PostKind.ARTICLE,
        author=found.author,
        published_at=published_at,
        published_quality=quality,
        language=found.language,
        extra=known(site=found.site),
    )


def _date(tree: Selector, found: _Extracted, fetched: Fetched) -> ReadDate:
    """The moment that the page's head names, else the day that the library saw."""
    stamps = tree.css(
        'meta[property="article:published_time"]::attr(content), '
        'meta[itemprop="datePublished"]::attr(content), '
        "time[pubdate]::attr(datetime), article time::attr(datetime)"
    ).getall()
    told = (*stamps[:3], found.date)
    return first_date(told, now=fetched.fetched_at, zone=fetched.time_zone)
