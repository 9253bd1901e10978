"""Discourse: posts of a whole forum, or of one topic, from the JSON beside every page.

Format: docs.discourse.org, ``/posts.json`` and ``/t/{id}/posts.json``; both list at most some
fifty posts, newest first, and go on below a number. ``/t/{id}/last.json`` has a topic's end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, KnownPost, Page, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, query_of, with_query

_USUAL_POST = 1  #: others are notes of the software: "closed this topic", "moved a post"
_LIKE = 2  #: of ``actions_summary``
_LINK = re.compile(r"""\b(?:href|src)=["'](https?://[^"'\s]{4,500})""")
_QUOTE = re.compile(r"""<aside class=["']quote\b""")
_END_OF_QUOTE = "</aside>"
_HEADERS = {"Accept": "application/json"}


class DiscourseConfig(Config):
    """A forum, by its address, and perhaps one topic of it."""

    url: WebAddress
    topic: int | None = Field(
        default=None, gt=0, description="number in the topic's address; without it the whole forum"
    )


class Discourse(JsonSpider):
    """Posts in all open categories; edits are seen as long as they stand in what is read."""

    kind = "discourse"
    title = "Discourse forum"
    family = Family.FORUM
    config = DiscourseConfig
    minimum_interval_seconds = 120
    is_verified = True
    is_gapless = True
    overlap = timedelta(hours=6)
    promise = Promise(filled={"text": 0.9, "author": 0.95, "published_at": 1.0})

    @override
    def start(self, config: DiscourseConfig, *, cursor: Cursor) -> Request:
        """The newest posts."""
        return _list(config, below=None)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """Posts of the forum or of a topic."""
        found = at(body, "latest_posts")
        found = at(body, "post_stream", "posts") if found is None else found
        if not isinstance(found, list):
            raise DriftError("the answer lists no posts, neither of a forum nor of a topic")
        return found

    @override
    def following(self, body: Json, fetched: Fetched, config: DiscourseConfig) -> Request | None:
        """What stands below the lowest number of this page."""
        key = "post_number" if config.topic else "id"
        numbers = [count(at(post, key)) for post in self.items(body, fetched)]
        lowest = min((number for number in numbers if number is not None), default=0)
        # Until 2026 "before" meant "at most": each list began with the post that ended the other.
        is_last = len(numbers) == 1 and query_of(fetched.url).get("before") == str(lowest)
        return _list(config, below=lowest) if lowest > 1 and not is_last else None

    @override
    def post(self, item: Json, fetched: Fetched, config: DiscourseConfig) -> Post | None:
        """One post; what the software itself writes is none."""
        if at(item, "post_type") not in (None, _USUAL_POST):
            return None
        external_id = name_of(at(item, "id"))
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        text = _text(words(at(item, "cooked")) or "", words(at(item, "raw")) or "")
        is_deleted = bool(at(item, "deleted_at") or at(item, "user_deleted"))
        if not text and not is_deleted:
            raise ParseError("cooked", url=fetched.url, item=item)
        now = fetched.fetched_at
        published_at, quality = read_date(words(at(item, "created_at")), now=now)
        updated_at, _ = read_date(words(at(item, "updated_at")), now=now)
        is_edited = (count(at(item, "version")) or 1) > 1
        return Post(
            external_id=external_id,
            text=text,
            title=words(text_of(words(at(item, "topic_title")) or "")),
            url=_address(item, config),
            kind=PostKind.POST if at(item, "post_number") == 1 else PostKind.COMMENT,
            author=words(at(item, "name")) or words(at(item, "username")),
            author_id=words(at(item, "username")),
            published_at=published_at,
            published_quality=quality,
            edited_at=updated_at if is_edited and updated_at != published_at else None,
            is_deleted=is_deleted,
            engagement=_engagement(item),
            extra=_extra(item),
        )

    @override
    def recheck(self, config: DiscourseConfig, posts: Sequence[KnownPost]) -> Request | None:
        """One post by its id."""
        address = f"{config.url.rstrip('/')}/posts/{quote(posts[0].external_id, safe='')}.json"
        return Request(url=address, headers=_HEADERS)

    @override
    def parse_recheck(self, fetched: Fetched, config: Any, posts: Sequence[KnownPost]) -> Page:
        """Gone when the forum itself finds none: not forbidden, and not a gateway's 404."""
        if fetched.status in (404, 410):
            if not listed(body_of(fetched).get("errors")):
                raise unexpected(fetched, decode(fetched.body), lacks="word of the forum")
            return Page(gone=tuple(post.external_id for post in posts))
        found, problems, _ = self.read_items(
            [self.body(fetched, read(fetched))], fetched, config
        )  # fmt: skip
        return Page(posts=found, problems=problems)


def _list(config: DiscourseConfig, *, below: int | None) -> Request:
    base = config.url.rstrip("/")
    if config.topic is None:
        return Request(url=with_query(f"{base}/posts.json", before=below), headers=_HEADERS)
    address = f"{base}/t/{config.topic}"
    if below is None:
        # Not a number above all: the server takes the nearest, and leaves that one out.
        return Request(url=f"{address}/last.json", headers=_HEADERS)
    address = f"{address}/posts.json"
    return Request(url=with_query(address, post_number=below, asc="false"), headers=_HEADERS)


def _text(cooked: str, raw: str) -> str:
    """What the author says; where that is nothing, the quote, or a picture's address."""
    link = _LINK.search(cooked)
    said = text_of(_without_quotes(cooked)) or text_of(cooked)
    return said or raw or (link[1] if link else "")


def _without_quotes(cooked: str) -> str:
    """What the author says, without what others said above it."""
    parts, position = [], 0
    while found := _QUOTE.search(cooked, position):
        end = cooked.find(_END_OF_QUOTE, found.end())
        if end < 0:
            break
        parts.append(cooked[position : found.start()])
        position = end + len(_END_OF_QUOTE)
    return " ".join([*parts, cooked[position:]])


def _address(item: Json, config: DiscourseConfig) -> str:
    base, topic = config.url.rstrip("/"), count(at(item, "topic_id")) or config.topic
    number = count(at(item, "post_number")) or 1
    slug = quote(words(at(item, "topic_slug")) or "-", safe="")
    return f"{base}/t/{slug}/{topic}/{number}" if topic else base


def _engagement(item: Json) -> dict[str, int]:
    liked = (one for one in listed(at(item, "actions_summary")) if at(one, "id") == _LIKE)
    return counts(
        likes=count(at(next(liked, None), "count")),
        replies=count(at(item, "reply_count")),
        reads=count(at(item, "reads")),
    )


def _extra(item: Json) -> dict[str, object]:
    return known(
        topic_id=count(at(item, "topic_id")),
        post_number=count(at(item, "post_number")),
        in_reply_to_number=count(at(item, "reply_to_post_number")),
        is_staff=at(item, "staff") is True or None,
        is_hidden=at(item, "hidden") is True or None,
    )
