"""Wykop over its API v3: a search for entries of the microblog, or for links."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    KnownPost,
    Page,
    Promise,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import AuthError, CrawlError, ParseError
from crawlers.families.bearer import with_bearer
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted, spent
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import joined, page_number, with_query

SITE = "https://wykop.pl"
API = f"{SITE}/api/v3"  # no setting: the secret and the token go nowhere else
PER_PAGE = 25
_ZONE = "Europe/Warsaw"  # its times name no zone


class WykopConfig(ConfigWithCredential):
    """Words, or a tag with its #."""

    query: str = Field(min_length=1, max_length=200)
    posts: Literal["entries", "links"] = Field(
        default="entries", description="entries of the microblog, or links with their descriptions"
    )


class Wykop(JsonSpider):
    """Newest first; not verified: built to https://doc.wykop.pl (v3), no answer was recorded.

    All that was recorded is of version 2, which is retired; the links of that are read as well.
    The search lists no comments: those of an entry are counted and not read.
    """

    kind = "wykop"
    title = "Wykop search"
    config = WykopConfig
    minimum_interval_seconds = 120
    is_verified = False
    items_at = ("data",)
    overlap = timedelta(hours=6)
    secrets = MappingProxyType(
        {"key": "of the application, from dev.wykop.pl", "secret": "of the application"}
    )
    promise = Promise(filled={"author": 0.95, "published_at": 0.99, "engagement": 0.95})

    @override
    def start(self, config: WykopConfig, *, cursor: Cursor) -> Request:
        """The newest, whatever the cursor: edits show there."""
        return _page(config, number=1)

    @override
    def following(self, body: Json, fetched: Fetched, config: WykopConfig) -> Request | None:
        """The next number, while the answer's total promises more; without one, a full page."""
        number = page_number(fetched.url, default=1)
        total = count(at(body, "pagination", "total"))
        size = count(at(body, "pagination", "per_page")) or PER_PAGE
        read_so_far, listed_here = number * size, len(self.items(body, fetched))
        goes_on = listed_here >= size if total is None else read_so_far < total
        return _page(config, number=number + 1) if goes_on else None

    @override
    def post(self, item: Json, fetched: Fetched, config: WykopConfig) -> Post | None:
        """Read an entry or a link."""
        return post_of(item, fetched)

    @override
    def recheck(self, config: WykopConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for one entry or link."""
        if not posts:
            return None
        return _asking(f"{API}/{config.posts}/{quote(posts[0].external_id, safe='')}")

    @override
    def parse_recheck(
        self, fetched: Fetched, config: WykopConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """The post as it is; it is gone when the API says so, not when a gateway has no page."""
        asked = {post.external_id for post in posts}
        if fetched.status in (404, 410):
            if not body_of(fetched):
                raise unexpected(fetched, decode(fetched.body), lacks="word of the API")
            return Page(gone=tuple(asked))
        item = at(self.body(fetched, read(fetched)), "data")
        if _is_gone(item) and self.id_of(item) in asked:
            return Page(gone=tuple(asked))
        found, problems, _ = self.read_items([item], fetched, config)
        return Page(posts=tuple(p for p in found if p.external_id in asked), problems=problems)

    @override
    def explain(self, fetched: Fetched, config: WykopConfig) -> CrawlError | None:
        """An error of the API holds its words under error.message."""
        said = quoted(at(body_of(fetched), "error", "message"))
        if fetched.status == 401:
            return AuthError(f"Wykop does not accept the token (401){said}")
        if fetched.status == 400 and said:
            return CrawlError(f"Wykop does not accept the request{said}")
        return spent(fetched)

    @override
    def log_in(self, config: WykopConfig, secrets: Secrets) -> Request | None:
        """Ask for a token of the application; it reads only what is public."""
        return Request(
            url=f"{API}/auth",
            method="POST",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps({"data": {"key": secrets["key"], "secret": secrets["secret"]}}),
        )

    @override
    def read_token(self, fetched: Fetched) -> Token:
        """The token; it does not say for how long, so it is used until it is refused."""
        body = body_of(fetched)
        value = words(at(body, "data", "token"))
        if not 200 <= fetched.status < 300 or value is None:
            said = quoted(at(body, "error", "message"))
            raise AuthError(f"Wykop refuses the key or the secret ({fetched.status}){said}")
        return Token(value=value)

    @override
    def sign(
        self, request: Request, config: WykopConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """Show the token."""
        return with_bearer(request, token.value if token else None)


def _asking(url: str) -> Request:
    return Request(url=url, headers={"Accept": "application/json"})


def _page(config: WykopConfig, *, number: int) -> Request:
    address = f"{API}/search/{config.posts}"
    asked = {"query": config.query, "sort": "newest", "page": number, "limit": PER_PAGE}
    return _asking(with_query(address, **asked))


def post_of(item: Json, fetched: Fetched) -> Post:
    """Read an entry, which has a content, or a link, which has a title."""
    external_id = name_of(at(item, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url, item=item)
    title = _shown(at(item, "title")) or None
    text = _shown(at(item, "description") if title else at(item, "content"))
    if not text and not title and not _is_gone(item):
        raise ParseError("content", url=fetched.url, item=item)
    published_at, quality = _date(at(item, "created_at") or at(item, "date"), fetched)
    author = words(at(item, "author", "username")) or words(at(item, "author", "login"))
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=f"{SITE}/{'link' if title else 'wpis'}/{quote(external_id, safe='')}",
        kind=PostKind.POST,
        author=author,
        author_id=author,
        published_at=published_at,
        published_quality=quality,
        is_deleted=_is_gone(item),
        engagement=counts(
            up=_first_count(at(item, "votes", "up"), at(item, "vote_count")),
            down=_first_count(at(item, "votes", "down"), at(item, "bury_count")),
            comments=_first_count(at(item, "comments", "count"), at(item, "comments_count")),
        ),
        extra=_extra(item),
    )


def _is_gone(item: Json) -> bool:
    """Whether it is deleted; the site says by whom ("author", "moderator")."""
    return words(at(item, "deleted")) is not None or at(item, "deleted") is True


def _shown(text: Json) -> str:
    return tidy(html.unescape(words(text) or ""))


def _date(said: Json, fetched: Fetched) -> ReadDate:
    zone = fetched.time_zone if fetched.time_zone != "UTC" else _ZONE
    return read_date(words(said), now=fetched.fetched_at, zone=zone)


def _first_count(*values: Json) -> int | None:
    return next((number for number in map(count, values) if number is not None), None)


def _extra(item: Json) -> dict[str, Any]:
    said = at(item, "tags")
    tags = said.replace("#", " ").split() if isinstance(said, str) else map(words, listed(said))
    return known(
        link=joined(SITE, words(at(item, "source", "url")) or words(at(item, "source_url"))),
        tags=[tag for tag in tags if tag][:50],
        is_adult=(at(item, "adult") is True or at(item, "plus18") is True) or None,
    )
