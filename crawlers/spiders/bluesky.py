"""Bluesky: the search for posts, the quotes of a post, or the feed of a list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.types import Post
from crawlers import reach
from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    KnownPost,
    Page,
    Promise,
    Quota,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import AuthError, CrawlError, DriftError
from crawlers.families.bearer import with_bearer
from crawlers.families.bluesky_posts import post_of
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted, spent
from crawlers.reading.answers import read
from crawlers.reading.json_body import Json, at, parse_json, words
from crawlers.reading.web_address import query_of, with_query

API = "https://bsky.social/xrpc"  # no setting: the password and the token go nowhere else
PER_PAGE = 100
#: Behind so many hits the search refuses; what is older is then searched for by its time.
_DEEPEST = 9_000
_REPOST = object()  #: in place of a post that somebody of a list only repeats
_AT_URI = r"^(at://[A-Za-z0-9.:_/-]{5,300})?$"


class BlueskyConfig(ConfigWithCredential):
    """One of these three."""

    query: str = Field(default="", max_length=512)
    quotes_of: str = Field(default="", pattern=_AT_URI, description="the at:// address of a post")
    list: str = Field(default="", pattern=_AT_URI, description="the at:// address of a list")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(map(bool, (self.query.strip(), self.quotes_of, self.list))) != 1:
            raise ValueError("one of query, quotes_of and list is needed")
        return self


class Bluesky(JsonSpider):
    """Newest first; built to https://docs.bsky.app, read against answers of May 2025.

    Whoever writes a program may claim any ``createdAt``, and ``indexedAt`` is when the network saw
    the post: the earlier of the two that we believe is when it was published. A cursor may come
    with the last page, too, so only a page without posts is the end. A post cannot be edited.
    """

    kind = "bluesky"
    title = "Bluesky posts"
    config = BlueskyConfig
    minimum_interval_seconds = 60
    is_verified = True
    is_gapless = True
    id_key = "uri"
    overlap = timedelta(hours=1)
    secrets = MappingProxyType(
        {
            "identifier": "the handle of an account, such as name.bsky.social",
            "app_password": "an app password of that account, never the account's own",
        }
    )
    quotas = MappingProxyType({"": Quota(units=3000, period=timedelta(minutes=5))})
    promise = Promise(filled={"author": 0.99, "published_at": 0.99, "engagement": 0.99})
    recheck_size = 25

    @override
    def start(self, config: BlueskyConfig, *, cursor: Cursor) -> Request:
        """The newest; a search is told how far back."""
        newest = reach.newest_of(cursor)
        since = (newest - self.overlap).strftime("%Y-%m-%dT%H:%M:%SZ") if newest else None
        return _page(config, since=since)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The posts of a search, or those of a feed, each of which says why it is there."""
        if isinstance(at(body, "feed"), list):
            return [_REPOST if _is_repost(item) else at(item, "post") for item in at(body, "feed")]
        if not isinstance(at(body, "posts"), list):
            raise DriftError("the answer has neither posts nor a feed")
        return list(at(body, "posts"))

    @override
    def following(self, body: Json, fetched: Fetched, config: BlueskyConfig) -> Request | None:
        """The page behind this one; deep in a search, a search for what is older."""
        cursor, asked = words(at(body, "cursor")), query_of(fetched.url)
        if cursor is None or len(cursor) > 1000:
            return None
        if not config.query or not cursor.isdigit() or int(cursor) < _DEEPEST:
            return _page(config, cursor=cursor, since=asked.get("since"), until=asked.get("until"))
        until = self._oldest(self.items(body, fetched), fetched)
        if until is None or until == asked.get("until"):
            raise DriftError("the search does not go on: its deepest page is no older than asked")
        return _page(config, since=asked.get("since"), until=until)

    def _oldest(self, items: Sequence[Json], fetched: Fetched) -> str | None:
        posts, _, _ = self.read_items(items, fetched, None)
        times = [post.published_at for post in posts if post.published_at]
        # A second more: others of the same second may stand behind it.
        return (min(times) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None

    @override
    def post(self, item: Json, fetched: Fetched, config: Any) -> Post | None:
        """Read one view of a post; a repost is none, for it says again what another one said."""
        return None if item is _REPOST else post_of(item, fetched)

    @override
    def recheck(self, config: BlueskyConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for posts by their addresses."""
        uris = [p.external_id for p in posts if p.external_id.startswith("at://")]
        pairs = "&".join(with_query("", uris=uri).removeprefix("?") for uri in uris)
        return Request(url=f"{API}/app.bsky.feed.getPosts?{pairs}") if uris else None

    @override
    def parse_recheck(
        self, fetched: Fetched, config: BlueskyConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """Those that are there; the API leaves out one that is no more."""
        views = self.items(self.body(fetched, read(fetched)), fetched)
        found, problems, _ = self.read_items(views, fetched, config)
        listed_ids = {self.id_of(view) for view in views if at(view, "notFound") is not True}
        asked = [p.external_id for p in posts if p.external_id.startswith("at://")]
        return Page(
            posts=tuple(post for post in found if post.external_id in asked),
            problems=problems,
            gone=tuple(uri for uri in asked if uri not in listed_ids),
        )

    @override
    def explain(self, fetched: Fetched, config: BlueskyConfig) -> CrawlError | None:
        """An error has a name: ExpiredToken and InvalidToken come as 400."""
        body = body_of(fetched)
        name, said = words(body.get("error")) or "", quoted(body.get("message"))
        if fetched.status == 401 or name in ("ExpiredToken", "InvalidToken"):
            return AuthError(f"Bluesky does not accept the token ({fetched.status}){said}")
        if fetched.status == 400 and name:
            return CrawlError(f"Bluesky does not accept the request ({name[:60]}){said}")
        return spent(fetched)

    @override
    def log_in(self, config: BlueskyConfig, secrets: Secrets) -> Request | None:
        """Open a session; there may be only some in a day, so its token is kept while it lives."""
        pair = {"identifier": secrets["identifier"], "password": secrets["app_password"]}
        return Request(
            url=f"{API}/com.atproto.server.createSession",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps(pair),
        )

    @override
    def read_token(self, fetched: Fetched) -> Token:
        """The access token; it says itself until when it holds."""
        body = body_of(fetched)
        value = words(body.get("accessJwt"))
        if not 200 <= fetched.status < 300 or value is None:
            said = quoted(body.get("message") or body.get("error"))
            raise AuthError(f"Bluesky refuses the log-in ({fetched.status}){said}")
        return Token(value=value, expires_at=_expiry(value))

    @override
    def sign(
        self, request: Request, config: BlueskyConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """Show the token."""
        return with_bearer(request, token.value if token else None)


def _is_repost(item: Json) -> bool:
    """Whether somebody of a list repeats it; it stands there by the time of that."""
    return (words(at(item, "reason", "$type")) or "").endswith("#reasonRepost")


def _page(config: BlueskyConfig, *, cursor: str | None = None, **bounds: str | None) -> Request:
    if config.query:
        method, asked = "searchPosts", {"q": config.query.strip(), "sort": "latest", **bounds}
    elif config.quotes_of:
        method, asked = "getQuotes", {"uri": config.quotes_of}
    else:
        method, asked = "getListFeed", {"list": config.list}
    url = with_query(f"{API}/app.bsky.feed.{method}", **asked, limit=PER_PAGE, cursor=cursor)
    return Request(url=url, headers={"Accept": "application/json"})


def _expiry(token: str) -> datetime | None:
    """The claim ``exp`` of a JSON Web Token; None where it cannot be read."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
        seconds = at(parse_json(claims, what="the token"), "exp")
    except (binascii.Error, ValueError, DriftError):
        return None
    is_time = isinstance(seconds, int) and 10**9 < seconds < 10**11
    return datetime.fromtimestamp(seconds, tz=UTC) if is_time else None
