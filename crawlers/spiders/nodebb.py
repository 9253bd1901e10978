"""NodeBB: the newest posts of a whole forum.

Format: the read API that stands below ``/api`` of every page (docs.nodebb.org/api/read),
``/api/recent/posts/{term}?page=``, twenty posts a page. Unverified: no answer was recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, KnownPost, Page, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, counts, known, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, page_number, with_query

_EMPTY = "empty"  #: in the state: how many pages before this one had no post
_MOST_EMPTY = 2
_HEADERS = {"Accept": "application/json"}


class NodeBBConfig(Config):
    """A forum, by its address."""

    url: WebAddress


class NodeBB(JsonSpider):
    """Posts in all open categories of the last month, newest first."""

    kind = "nodebb"
    title = "NodeBB forum"
    family = Family.FORUM
    config = NodeBBConfig
    minimum_interval_seconds = 300
    is_verified = False
    is_gapless = True
    id_key = "pid"
    ends_empty = False
    overlap = timedelta(hours=6)
    promise = Promise(filled={"text": 0.9, "author": 0.9, "published_at": 1.0})

    @override
    def start(self, config: NodeBBConfig, *, cursor: Cursor) -> Request:
        """The newest posts."""
        return _page(config, number=1)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The posts; newer versions wrap the array into an object."""
        found = at(body, "posts") if isinstance(body, dict) else body
        if not isinstance(found, list):
            raise DriftError("the answer lists no posts")
        return found

    @override
    def following(self, body: Json, fetched: Fetched, config: NodeBBConfig) -> Request | None:
        """The next number; only several pages without posts are the end.

        The forum takes out what guests may not see after it has cut a page.
        """
        number, before = page_number(fetched.url, default=1), count(fetched.state.get(_EMPTY)) or 0
        empty = 0 if self.items(body, fetched) else before + 1
        return _page(config, number=number + 1, empty=empty) if empty <= _MOST_EMPTY else None

    @override
    def post(self, item: Json, fetched: Fetched, config: NodeBBConfig) -> Post | None:
        """One post."""
        external_id = name_of(at(item, "pid"))
        if external_id is None:
            raise ParseError("pid", url=fetched.url, item=item)
        text, is_deleted = text_of(words(at(item, "content")) or ""), bool(at(item, "deleted"))
        if not text and not is_deleted:
            raise ParseError("content", url=fetched.url, item=item)
        now = fetched.fetched_at
        published_at, quality = read_date(_moment(item, "timestamp"), now=now)
        is_first = at(item, "isMainPost") is True
        return Post(
            external_id=external_id,
            text=text,
            title=words(text_of(words(at(item, "topic", "title")) or "")),
            url=f"{config.url.rstrip('/')}/post/{external_id}",
            kind=PostKind.POST if is_first else PostKind.COMMENT,
            author=words(at(item, "user", "displayname")) or words(at(item, "user", "username")),
            author_id=name_of(at(item, "user", "uid")),
            published_at=published_at,
            published_quality=quality,
            edited_at=read_date(_moment(item, "edited"), now=now)[0],
            parent_id=name_of(at(item, "toPid")),
            is_deleted=is_deleted,
            engagement=counts(
                upvotes=count(at(item, "upvotes")), downvotes=count(at(item, "downvotes"))
            ),
            extra=known(topic_id=name_of(at(item, "tid"))),
        )

    @override
    def recheck(self, config: NodeBBConfig, posts: Sequence[KnownPost]) -> Request | None:
        """One post by its number."""
        name = quote(posts[0].external_id, safe="")  # that of another server is an address
        address = f"{config.url.rstrip('/')}/api/v3/posts/{name}"
        return Request(url=address, headers=_HEADERS)

    @override
    def parse_recheck(self, fetched: Fetched, config: Any, posts: Sequence[KnownPost]) -> Page:
        """Gone when the forum itself finds none, and not when it has no such API."""
        if fetched.status in (404, 410):
            status = body_of(fetched).get("status")
            said = words(at(status, "message")) or ""
            if at(status, "code") != "not-found" or "api" in said.lower():
                raise unexpected(fetched, decode(fetched.body), lacks="word of the forum")
            return Page(gone=tuple(post.external_id for post in posts))
        answer = at(self.body(fetched, read(fetched)), "response")
        found, problems, _ = self.read_items([answer], fetched, config)
        return Page(posts=found, problems=problems)


def _page(config: NodeBBConfig, *, number: int, empty: int = 0) -> Request:
    address = f"{config.url.rstrip('/')}/api/recent/posts/month"
    return Request(
        url=with_query(address, page=number if number > 1 else None),
        headers=_HEADERS,
        state={_EMPTY: empty} if empty else {},
    )


def _moment(item: Json, key: str) -> str | None:
    """ISO beside milliseconds since 1970, one of which older versions lack; 0 means never."""
    milliseconds = count(at(item, key))
    return words(at(item, f"{key}ISO")) or (str(milliseconds) if milliseconds else None)
