"""X: the recent search of its API v2, 7 days deep; built to docs.x.com, read against recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.types import Post
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
from crawlers.errors import AuthError, CrawlError, QuotaError
from crawlers.families.bearer import with_bearer
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted
from crawlers.families.x_posts import read_post, with_includes
from crawlers.reading.answers import read
from crawlers.reading.json_body import Json, at, listed, name_of, words
from crawlers.reading.limits import limit_ends
from crawlers.reading.web_address import query_of, with_query

PER_PAGE = 100
LONGEST_QUERY = 512  # of what anyone may buy without a contract
#: The recent search knows no older posts.
REACH = timedelta(days=7)
#: Posts reach the index out of order; of a post's id all but 22 bits are its milliseconds.
OVERLAP = timedelta(minutes=5)
_FIELDS: Mapping[str, str] = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,geo,"
    "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets",
    "expansions": "author_id,referenced_tweets.id,geo.place_id",
    "user.fields": "name,username,verified,public_metrics",
    "place.fields": "country_code,full_name",
}


class XConfig(ConfigWithCredential):
    """A search in the words of X, e.g. ``"kavira" OR to:kavira``."""

    query: str = Field(min_length=1, max_length=LONGEST_QUERY)
    retweets: bool = Field(
        default=False, description="also posts that only repeat another; each is paid for"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.asked) > LONGEST_QUERY:
            raise ValueError(f"the query is longer than {LONGEST_QUERY} signs with -is:retweet")
        return self

    @property
    def asked(self) -> str:
        """The query as it is sent."""
        return self.query if self.retweets else f"({self.query}) -is:retweet"


class X(JsonSpider):
    """Posts of the last 7 days, newest first; an edited post keeps the id of its first version.

    A post is asked for by id again before it counts as deleted: one that is protected, or fell
    out of the index, is absent and not gone.
    """

    kind = "x"
    title = "X (Twitter) recent search"
    config = XConfig
    minimum_interval_seconds = 60
    is_verified = True
    is_gapless = True
    read_statuses = frozenset({400})  # a cursor that is too old; see _too_old
    recheck_size = 100
    secrets: ClassVar[Mapping[str, str]] = {
        "bearer_token": "the app's bearer token, from developer.x.com"
    }
    quotas: ClassVar[Mapping[str, Quota]] = {"": Quota(units=60, period=timedelta(minutes=15))}
    promise = Promise(filled={"author_id": 0.95, "published_at": 0.99, "engagement": 0.99})
    items_at = ("data",)
    ends_empty = False  # posts that we may not see are taken out of a page after it was cut
    api: ClassVar[str] = "https://api.x.com"  #: no setting: the token goes nowhere else

    @override
    def start(self, config: XConfig, *, cursor: Cursor) -> Request:
        """What is newer than the newest known post less the overlap."""
        return self._search(config, since_id=_before(name_of(cursor.get("newest_id"))))

    def _search(
        self, config: XConfig, *, since_id: str | None = None, token: str | None = None
    ) -> Request:
        return Request(
            url=with_query(
                f"{self.api}/2/tweets/search/recent",
                query=config.asked,
                max_results=PER_PAGE,
                since_id=since_id,
                next_token=token,
                **_FIELDS,
            )
        )

    @override
    def sign(
        self, request: Request, config: XConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """The bearer token, as a header."""
        return with_bearer(request, secrets["bearer_token"])

    @override
    def parse(self, fetched: Fetched, config: XConfig, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read one page of the search; a cursor that X finds too old is given up."""
        if fetched.status == 400 and _is_too_old(fetched):
            return Page(next=self._search(config), ahead=ahead)
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        page = replace(page, begins_at=_begin(fetched))
        newest = _newest([name_of(ahead.get("newest_id")), *map(version_of, page.posts)])
        return replace(page, ahead={**page.ahead, "newest_id": newest}) if newest else page

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The posts, each with the author, place and posts that it refers to."""
        if at(body, "data") is None and at(body, "meta", "result_count") == 0:
            return []
        return with_includes(super().items(body, fetched), at(body, "includes"))

    @override
    def following(self, body: Json, fetched: Fetched, config: XConfig) -> Request | None:
        """The page behind this one."""
        token = words(at(body, "meta", "next_token"))
        since_id = query_of(fetched.url).get("since_id")
        return self._search(config, since_id=since_id, token=token) if token else None

    @override
    def post(self, item: Json, fetched: Fetched, config: XConfig) -> Post:
        """Read one post."""
        return read_post(item, fetched)

    @override
    def explain(self, fetched: Fetched, config: XConfig) -> CrawlError | None:
        """X describes its refusals as problem documents (title, detail, type)."""
        body = body_of(fetched)
        problem = (words(at(body, "type")) or "").rpartition("/")[2]
        said = quoted(at(body, "detail") or at(body, "title"))
        if fetched.status == 401:
            return AuthError(f"X refuses the bearer token (401){said}")
        if fetched.status == 402 or problem == "usage-capped":
            return QuotaError(f"the plan's posts or credits are used up{said}")
        if fetched.status == 403:
            return AuthError(f"the app of the bearer token may not do this (403){said}")
        if fetched.status == 429:
            until = limit_ends(fetched.headers, now=fetched.fetched_at)
            return QuotaError(f"too many requests{said}", until=until)
        if fetched.status == 400 and not _is_too_old(fetched):
            return CrawlError(f"X does not accept the request{_messages(body) or said}")
        return None

    @override
    def recheck(self, config: XConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Look posts up by id, each in the version that we know."""
        ids = [name_of(post.extra.get("version_id")) or post.external_id for post in posts]
        ids = [one for one in ids if one.isascii() and one.isdigit()][: self.recheck_size]
        url = with_query(f"{self.api}/2/tweets", ids=",".join(ids), **_FIELDS)
        return Request(url=url) if ids else None

    @override
    def parse_recheck(self, fetched: Fetched, config: XConfig, posts: Sequence[KnownPost]) -> Page:
        """Those that are there, and those of which X says that they are not found."""
        body = self.body(fetched, read(fetched))
        items = with_includes(list(listed(at(body, "data"))), at(body, "includes"))
        read_posts, problems, _ = self.read_items(items, fetched, config)
        lost = {name_of(at(one, "value")) for one in listed(at(body, "errors")) if _is_gone(one)}
        gone = [
            post.external_id
            for post in posts
            if (name_of(post.extra.get("version_id")) or post.external_id) in lost
        ]
        return Page(posts=read_posts, problems=problems, gone=tuple(gone))


def version_of(post: Post) -> str:
    """The id of the version that was read; of a post that was never edited its only one."""
    return name_of(post.extra.get("version_id")) or post.external_id


def _before(newest_id: str | None) -> str | None:
    """An id that is older than another by the overlap."""
    if newest_id is None or not newest_id.isascii() or not newest_id.isdigit():
        return None
    older = int(newest_id[:25]) - (int(OVERLAP.total_seconds() * 1000) << 22)
    return str(older) if older > 0 else None


def _begin(fetched: Fetched) -> datetime | None:
    """How far back a search reaches that is not bound to what the last run left."""
    is_bound = "since_id" in query_of(fetched.url)
    return None if is_bound else fetched.fetched_at - REACH


def _newest(ids: Sequence[str | None]) -> str | None:
    numbers = [int(one) for one in ids if one and one.isascii() and one.isdigit() and len(one) < 25]
    return str(max(numbers)) if numbers else None


def _is_too_old(fetched: Fetched) -> bool:
    """Whether it is our ``since_id`` that is refused, because it is older than the index."""
    return "since_id" in query_of(fetched.url) and "since_id" in _messages(body_of(fetched))


def _messages(body: Mapping[str, Json]) -> str:
    said = [words(at(error, "message")) for error in listed(body.get("errors"))]
    return quoted("; ".join(filter(None, said)))


def _is_gone(error: Json) -> bool:
    """Not found, and it is the post that was asked for; not one that it refers to, or its author.

    One that is protected or withheld has another type: ``not-authorized-for-resource``.
    """
    kind = (words(at(error, "type")) or "").rpartition("/")[2]
    return kind == "resource-not-found" and at(error, "parameter") in ("ids", "id")
