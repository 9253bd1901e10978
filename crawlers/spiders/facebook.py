"""Facebook: the feed of a Page and its comments (developers.facebook.com/docs/graph-api, v26).

The ratings of a Page are no longer given by the API (error 12), and nothing searches all Pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from core.types import Post
from crawlers import reach
from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    Page,
    Promise,
    Quota,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import CrawlError
from crawlers.families.bearer import with_bearer
from crawlers.families.graph_api import cursor_of, explain_graph
from crawlers.families.graph_posts import comment_items, feed_items, read_item
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of
from crawlers.reading.answers import read
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import Json, at, listed, name_of, words
from crawlers.reading.web_address import with_query

#: Posts that are older than this before the newest known one are not looked at for comments.
FEED_OVERLAP = timedelta(days=30)
COMMENT_OVERLAP = timedelta(days=1)
PER_FEED, PER_POST, PER_PAGE = 25, 25, 100
_COMMENT = "id,message,created_time,permalink_url,from{id,name},like_count,comment_count,parent{id}"
_LISTED = f"order(reverse_chronological).filter(stream).limit({PER_POST}).summary(total_count)"
_FEED = (
    "id,message,story,created_time,permalink_url,from{id,name},shares,attachments{title},"
    f"reactions.limit(0).summary(total_count),comments.{_LISTED}{{{_COMMENT}}}"
)


class FacebookConfig(ConfigWithCredential):
    """A Page, by its id or its name in the address."""

    page: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9.]+$")
    version: str = Field(default="v26.0", pattern=r"^v\d{1,2}\.\d$", description="of the Graph API")


class Facebook(JsonSpider):
    """What visitors write on a Page and below its posts; what the Page itself says is no post.

    Facebook names no deletion: who may not see a post and who asks for one that is gone get the
    same answer. So an absent post stays missing.
    """

    kind = "facebook"
    title = "Facebook Page: visitors' posts and comments"
    config = FacebookConfig
    minimum_interval_seconds = 300
    is_verified = True
    secrets: ClassVar[Mapping[str, str]] = {
        "access_token": "a Page access token with pages_read_engagement and "
        "pages_read_user_content, or one with Page Public Content Access"
    }
    quotas: ClassVar[Mapping[str, Quota]] = {"": Quota(units=200, period=timedelta(hours=1))}
    promise = Promise(filled={"published_at": 0.99})
    items_at = ("data",)
    api: ClassVar[str] = "https://graph.facebook.com"  #: no setting: the token goes nowhere else

    @override
    def start(self, config: FacebookConfig, *, cursor: Cursor) -> Request:
        """The newest page of the feed, whatever the cursor: comments on old posts show there."""
        return replace(self._feed(config, {}), may_be_unchanged=False)

    def _feed(self, config: FacebookConfig, following: Mapping[str, str]) -> Request:
        url = f"{self.api}/{config.version}/{config.page}/feed"
        return Request(url=with_query(url, fields=_FEED, limit=PER_FEED, **following))

    @override
    def sign(
        self, request: Request, config: FacebookConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """The access token, as a header."""
        return with_bearer(request, secrets["access_token"])

    @override
    def parse(
        self, fetched: Fetched, config: FacebookConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read a page of the feed, or of one post's comments."""
        body = self.body(fetched, read(fetched))
        if (refusal := explain_graph(body, fetched)) is not None:
            raise refusal
        self.items(body, fetched)
        post_id = words(fetched.state.get("post"))
        found = comment_items(body, post_id=post_id) if post_id else feed_items(body)
        posts, problems, others = self.read_items(found, fetched, config)
        waiting = self._waiting(body, post_id, fetched, cursor)
        return Page(
            posts=posts,
            problems=problems,
            next=self._next(waiting, config),
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            announced=len(found) - others,
        )

    @override
    def post(self, item: Json, fetched: Fetched, config: FacebookConfig) -> Post | None:
        """Read a post or a comment."""
        return read_item(item, fetched)

    def _waiting(
        self, body: Json, post_id: str | None, fetched: Fetched, cursor: Cursor
    ) -> dict[str, Json]:
        """Lists of comments that go on, at most those of one page; then the feed itself."""
        known = reach.newest_of(cursor)
        comments = [one for one in listed(fetched.state.get("comments")) if at(one, "post")]
        feed = fetched.state.get("feed") if post_id else None
        if post_id:
            more = _goes_on(body, fetched, until=known and known - COMMENT_OVERLAP)
            comments = [{"post": post_id, **more}, *comments] if more else comments
        else:
            feed = _goes_on(body, fetched, until=known and known - FEED_OVERLAP)
            for post in listed(at(body, "data")):
                more = _goes_on(
                    at(post, "comments"), fetched, until=known and known - COMMENT_OVERLAP
                )
                if more and name_of(at(post, "id")):
                    comments.append({"post": name_of(at(post, "id")), **more})
        return {"comments": comments, "feed": feed}

    def _next(self, waiting: Mapping[str, Json], config: FacebookConfig) -> Request | None:
        comments, feed = list(waiting["comments"]), waiting["feed"]
        if comments:
            first = dict(comments.pop(0))
            state = {"post": first.pop("post"), "comments": comments, "feed": feed}
            url = with_query(
                f"{self.api}/{config.version}/{state['post']}/comments",
                fields=_COMMENT,
                filter="stream",
                order="reverse_chronological",
                limit=PER_PAGE,
                **first,
            )
            return Request(url=url, state={key: one for key, one in state.items() if one})
        return self._feed(config, feed) if feed else None

    @override
    def explain(self, fetched: Fetched, config: FacebookConfig) -> CrawlError | None:
        """Facebook says by a code what it refuses; the status is mostly 400."""
        return explain_graph(body_of(fetched), fetched)


def _goes_on(listing: Json, fetched: Fetched, *, until: datetime | None) -> dict[str, str]:
    """The cursor of a list of things newest first, unless all of this page is older.

    A page may be empty in the middle of a list: Facebook takes out what we may not see.
    """
    times = [
        read_date(words(at(one, "created_time")), now=fetched.fetched_at)[0]
        for one in listed(at(listing, "data"))
    ]
    newest = max(filter(None, times), default=None)
    is_below = until is not None and newest is not None and newest < until
    return {} if is_below else cursor_of(at(listing, "paging"))
