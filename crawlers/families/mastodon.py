"""Mastodon, and whoever speaks its client API: statuses as posts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from core.types import Post
from crawlers.contract import Fetched, KnownPost, Page, Promise, Request
from crawlers.errors import AuthError, CrawlError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted, spent
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import joined, query_of

# Seen: <https://host/api/v1/timelines/tag/x?limit=5&max_id=114…>; rel="next", <…>; rel="prev"
_LINK = re.compile(r"""<([^<>\s]{1,2000})>\s{0,9};\s{0,9}rel\s{0,9}=\s{0,9}"?next\b""")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # numbers at Mastodon's, other words at its kin's


class MastodonSpider(JsonSpider):
    """Reads lists of statuses; built to https://docs.joinmastodon.org/entities/Status/."""

    minimum_interval_seconds = 60
    is_gapless = True
    #: Statuses of other servers arrive late; authors edit when they like, which a recheck sees.
    overlap = timedelta(hours=3)
    promise = Promise(filled={"author": 0.99, "published_at": 0.99, "engagement": 0.9})

    @override
    def post(self, item: Json, fetched: Fetched, config: Any) -> Post | None:
        """Read one status; a boost is none, for it says again what another one said."""
        return None if at(item, "reblog") else post_of(item, fetched, instance=config.instance)

    @override
    def recheck(self, config: Any, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for one status."""
        address = f"{config.instance.rstrip('/')}/api/v1/statuses/"
        return asking(address + quote(posts[0].external_id, safe="")) if posts else None

    @override
    def parse_recheck(self, fetched: Fetched, config: Any, posts: Sequence[KnownPost]) -> Page:
        """The status; it is gone when the API itself says so, not when a gateway has no page."""
        if fetched.status in (404, 410):
            if not words(body_of(fetched).get("error")):
                raise unexpected(fetched, decode(fetched.body), lacks="word of the API")
            return Page(gone=tuple(post.external_id for post in posts))
        found, problems, _ = self.read_items([self.body(fetched, read(fetched))], fetched, config)
        asked = {post.external_id for post in posts}
        return Page(posts=tuple(p for p in found if p.external_id in asked), problems=problems)

    @override
    def explain(self, fetched: Fetched, config: Any) -> CrawlError | None:
        """Instances may show their timelines only to who is logged in (401, of old 422)."""
        if fetched.status in (401, 422):
            said = quoted(body_of(fetched).get("error"))
            return AuthError(f"the instance wants an access token ({fetched.status}){said}")
        return spent(fetched)


def asking(url: str) -> Request:
    """A request of the API."""
    return Request(url=url, headers={"Accept": "application/json"})


def next_max_id(fetched: Fetched) -> str | None:
    """Where the header ``Link`` says that the next page begins; its address is not followed."""
    found = _LINK.search(fetched.headers.get("link", "")[:8000])
    said = query_of(found[1]).get("max_id") if found else None
    return said if said and _ID.fullmatch(said) else None


def post_of(status: Json, fetched: Fetched, *, instance: str) -> Post:
    """Read a status; a content warning is its title."""
    external_id = name_of(at(status, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url, item=status)
    text = text_of(words(at(status, "content")) or "")
    warning = text_of(words(at(status, "spoiler_text")) or "") or None
    # Who posts a picture alone may describe it, for those who cannot see.
    title = warning or (None if text else _described(status))
    if not text and not title:
        raise ParseError("content", url=fetched.url, item=status)
    name = words(at(status, "account", "acct"))
    published_at, quality = _date(status, "created_at", fetched)
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=_address(status, external_id, name, instance),
        author=name,
        author_id=name_of(at(status, "account", "id")),
        published_at=published_at,
        published_quality=quality,
        edited_at=_date(status, "edited_at", fetched)[0],
        language=words(at(status, "language")),
        parent_id=name_of(at(status, "in_reply_to_id")),
        engagement=counts(
            replies=count(at(status, "replies_count")),
            reposts=count(at(status, "reblogs_count")),
            likes=count(at(status, "favourites_count")),
        ),
        extra=_extra(status),
    )


def _date(status: Json, key: str, fetched: Fetched) -> Any:
    return read_date(words(at(status, key)), now=fetched.fetched_at)


def _described(status: Json) -> str | None:
    described = (words(at(one, "description")) for one in listed(at(status, "media_attachments")))
    return next(filter(None, described), None)


def _address(status: Json, external_id: str, name: str | None, instance: str) -> str:
    said = words(at(status, "url")) or words(at(status, "uri"))
    base = instance.rstrip("/")
    own = f"{base}/@{quote(name or '', safe='@')}/{quote(external_id, safe='')}"
    return joined(f"{base}/", said) or own


def _extra(status: Json) -> dict[str, Any]:
    tags = [words(at(tag, "name")) for tag in listed(at(status, "tags"))]
    options = [words(at(one, "title")) for one in listed(at(status, "poll", "options"))]
    return known(
        author_name=words(at(status, "account", "display_name")),
        tags=[tag for tag in tags if tag][:50],
        link=words(at(status, "card", "url")),
        poll=[option for option in options if option][:20],
        quoted=name_of(at(status, "quote", "quoted_status", "id")),
        is_sensitive=at(status, "sensitive") is True or None,
        is_bot=at(status, "account", "bot") is True or None,
        media=len(listed(at(status, "media_attachments"))) or None,
    )
