"""WordPress comments, from the REST API of a blog.

Format of the API: developer.wordpress.org/rest-api/reference/comments, read anonymously. Many
blogs switch it off; then the comments feed (kind ``feed``) or ``wordpress-page`` is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import Config, Cursor, Fetched, KnownPost, Page, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of
from crawlers.families.wordpress_lists import PER_PAGE, next_number
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, known, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, joined, query_of, with_query

_OVERLAP = timedelta(days=2)
_HEADERS = {"Accept": "application/json"}


class WordPressConfig(Config):
    """A blog, by its address, and perhaps one article of it."""

    url: WebAddress
    article: int | None = Field(default=None, gt=0, description="id of one article; without: all")


class WordPress(JsonSpider):
    """Approved comments, newest first; pingbacks are none. Unverified: no recording of the API."""

    kind = "wordpress"
    title = "WordPress comments (REST API)"
    config = WordPressConfig
    minimum_interval_seconds = 300
    is_verified = False
    is_gapless = True
    overlap = _OVERLAP
    promise = Promise(filled={"text": 1.0, "author": 0.8, "published_at": 1.0})

    @override
    def start(self, config: WordPressConfig, *, cursor: Cursor) -> Request:
        """Comments since the cursor less the overlap."""
        newest = reach.newest_of(cursor)
        # Local time of the blog, which we do not know: a day more.
        after = newest - self.overlap - timedelta(days=1) if newest else None
        return _page(config, after=f"{after:%Y-%m-%dT%H:%M:%S}" if after else None)

    @override
    def following(self, body: Json, fetched: Fetched, config: WordPressConfig) -> Request | None:
        """The next number, as long as there are more."""
        number = next_number(fetched, listed=len(body))
        after = query_of(fetched.url).get("after")
        return _page(config, after=after, number=number) if number else None

    @override
    def post(self, item: Json, fetched: Fetched, config: WordPressConfig) -> Post | None:
        """One comment; what another blog's software sent is none."""
        if at(item, "type") not in (None, "", "comment"):
            return None
        external_id, text = name_of(at(item, "id")), text_of(
            words(at(item, "content", "rendered")) or ""
        )  # fmt: skip
        for field, value in (("id", external_id), ("content.rendered", text)):
            if not value:
                raise ParseError(field, url=fetched.url, item=item)
        gmt = words(at(item, "date_gmt"))
        now, zone = fetched.fetched_at, fetched.time_zone
        published_at, quality = (
            read_date(f"{gmt}Z", now=now)
            if gmt
            else read_date(words(at(item, "date")), now=now, zone=zone)
        )
        parent, author = count(at(item, "parent")), count(at(item, "author"))
        return Post(
            external_id=external_id or "",
            text=text,
            url=joined(config.url, words(at(item, "link"))) or config.url,
            kind=PostKind.COMMENT,
            author=words(text_of(words(at(item, "author_name")) or "")),
            author_id=str(author) if author else None,
            published_at=published_at,
            published_quality=quality,
            parent_id=str(parent) if parent else None,
            extra=known(article=count(at(item, "post"))),
        )

    @override
    def recheck(self, config: WordPressConfig, posts: Sequence[KnownPost]) -> Request | None:
        """One comment by its id."""
        address = f"{_comments(config)}/{quote(posts[0].external_id, safe='')}"
        return Request(url=address, headers=_HEADERS)

    @override
    def parse_recheck(self, fetched: Fetched, config: Any, posts: Sequence[KnownPost]) -> Page:
        """Deleted when WordPress knows no such comment; 401 is one that a moderator holds back.

        A blog whose API was switched off answers 404 as well.
        """
        if fetched.status in (404, 410):
            if body_of(fetched).get("code") != "rest_comment_invalid_id":
                raise unexpected(fetched, decode(fetched.body), lacks="word of WordPress")
            return Page(gone=tuple(post.external_id for post in posts))
        found, problems, _ = self.read_items([self.body(fetched, read(fetched))], fetched, config)
        return Page(posts=found, problems=problems)


def _comments(config: WordPressConfig) -> str:
    return f"{config.url.rstrip('/')}/wp-json/wp/v2/comments"


def _page(config: WordPressConfig, *, after: str | None, number: int | None = None) -> Request:
    return Request(
        url=with_query(
            _comments(config),
            per_page=PER_PAGE,
            orderby="date_gmt",
            order="desc",
            post=config.article,
            after=after,
            page=number,
        ),
        headers=_HEADERS,
    )
