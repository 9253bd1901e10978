"""Reddit over its API: a search, the links of subreddits, or their comments."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

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
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError
from crawlers.families.bearer import with_bearer
from crawlers.families.items import Listing
from crawlers.families.json_api import JsonSpider
from crawlers.families.reddit_things import RedditQuery, name_of_thing, post_of
from crawlers.families.refusals import body_of, quoted, spent
from crawlers.reading.answers import read
from crawlers.reading.json_body import Json, at, count, listed, words
from crawlers.reading.web_address import query_of, with_query

# No settings: the secret and the token go nowhere else.
API = "https://oauth.reddit.com"
TOKENS = "https://www.reddit.com/api/v1/access_token"
PER_PAGE = 100
_FULLNAME = re.compile(r"t[13]_[a-z0-9]{1,13}")
#: Which items before the last of a page are remembered as places to go on from.
_EARLIER = (-6, -3, -2)


class RedditConfig(RedditQuery, ConfigWithCredential):
    """A search, in all of Reddit or some subreddits; without words, all that is new in these."""


class Reddit(JsonSpider):
    """Newest first, in pages of a hundred; no listing is longer than a thousand.

    Built to https://www.reddit.com/dev/api. A run begins at the top and goes ``after`` the last
    item of each page. It never asks what is ``before`` the newest known item: the answer is
    empty when there is nothing new, and as empty when that item was deleted. ``after`` has the
    same trap; so a page that is empty there is asked for again from an earlier item.
    """

    kind = "reddit"
    title = "Reddit (API)"
    config = RedditConfig
    minimum_interval_seconds = 60
    is_verified = True
    is_gapless = True
    is_limited = True
    items_at = ("data", "children")
    overlap = timedelta(hours=3)
    secrets = MappingProxyType(
        {"client_id": "of the application", "client_secret": "of the application"}
    )
    quotas = MappingProxyType({"": Quota(units=600, period=timedelta(minutes=10))})
    promise = Promise(filled={"published_at": 0.99, "author": 0.5, "engagement": 0.5})
    recheck_size = 100

    @override
    def start(self, config: RedditConfig, *, cursor: Cursor) -> Request:
        """The top of the listing, whatever the cursor: edits show there."""
        return _listing(config)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The things of a listing; ``CrawlError`` when they are subreddits of similar names."""
        things = super().items(body, fetched)
        if things and all(at(thing, "kind") == "t5" for thing in things):
            raise CrawlError("there is no such subreddit: the site answers with similar names")
        return things

    @override
    def listing(self, fetched: Fetched, text: str, config: Any) -> Listing[Json]:
        """One page; an empty one behind an item is none before that was tried from another."""
        found = super().listing(fetched, text, config)
        anchor = query_of(fetched.url).get("after")
        if found.items or not anchor:
            return found
        earlier = _anchors(fetched.state)
        if not earlier:
            raise DriftError(
                f"nothing stands behind {anchor}, although there was more: the items from which"
                " the run could go on were deleted"
            )
        state = {"anchors": earlier[:-1], "again": fetched.state.get("again") or anchor}
        return replace(found, next=_listing(config, after=earlier[-1], state=state))

    @override
    def following(self, body: Json, fetched: Fetched, config: Any) -> Request | None:
        """The page behind this one's last item, with some earlier ones in reserve."""
        after = words(at(body, "data", "after"))
        # Asked again from an earlier item, the listing ends in the same one: there it ends.
        if after is None or not _FULLNAME.fullmatch(after) or after == fetched.state.get("again"):
            return None
        names = [self.id_of(item) for item in listed(at(body, "data", "children"))]
        earlier = [names[place] for place in _EARLIER if len(names) >= -place]
        return _listing(config, after=after, state={"anchors": [n for n in earlier if n]})

    @override
    def id_of(self, item: Json) -> str | None:
        """The fullname, such as t1_abc; the API knows no other id."""
        return name_of_thing(item)

    @override
    def post(self, item: Json, fetched: Fetched, config: Any) -> Post | None:
        """A link or a comment; anything else in a listing is no post."""
        return post_of(item, fetched)

    @override
    def recheck(self, config: RedditConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for things by their names, a hundred at a time."""
        names = [p.external_id for p in posts if _FULLNAME.fullmatch(p.external_id)]
        url = with_query(f"{API}/api/info", id=",".join(names), raw_json=1)
        return Request(url=url) if names else None

    @override
    def parse_recheck(
        self, fetched: Fetched, config: RedditConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """A deleted thing is still listed, without words; one that is not listed may be hidden."""
        found = self.items(self.body(fetched, read(fetched)), fetched)
        asked = {post.external_id for post in posts}
        now, problems, _ = self.read_items(found, fetched, config)
        mine = [post for post in now if post.external_id in asked]
        return Page(
            posts=tuple(post for post in mine if not post.is_deleted),
            gone=tuple(post.external_id for post in mine if post.is_deleted),
            problems=problems,
        )

    @override
    def explain(self, fetched: Fetched, config: RedditConfig) -> CrawlError | None:
        """Spent quotas, refused tokens, and subreddits that are private or banned."""
        if fetched.status == 401:
            return AuthError("Reddit does not accept the token (401)")
        reason = words(body_of(fetched).get("reason"))
        if fetched.status in (403, 404) and reason:
            return BlockedError(f"the subreddit is {reason[:80]} ({fetched.status})")
        return spent(fetched)

    @override
    def log_in(self, config: RedditConfig, secrets: Secrets) -> Request | None:
        """Ask for a token of the application itself; it reads only what is public."""
        pair = f"{secrets['client_id']}:{secrets['client_secret']}"
        return Request(
            url=TOKENS,
            method="POST",
            headers={
                "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode({"grant_type": "client_credentials"}),
        )

    @override
    def read_token(self, fetched: Fetched) -> Token:
        """A bearer token, good for a day."""
        answer = body_of(fetched)
        value, seconds = words(at(answer, "access_token")), count(at(answer, "expires_in"))
        if not 200 <= fetched.status < 300 or value is None:
            said = quoted(answer.get("message") or answer.get("error"))
            raise AuthError(f"Reddit refuses the client's id or secret ({fetched.status}){said}")
        lives = timedelta(seconds=seconds) if seconds and 0 < seconds < 10**8 else None
        return Token(value=value, expires_at=fetched.fetched_at + lives if lives else None)

    @override
    def sign(
        self, request: Request, config: RedditConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """Show the token."""
        return with_bearer(request, token.value if token else None)


def _listing(
    config: RedditConfig, *, after: str | None = None, state: dict[str, Any] | None = None
) -> Request:
    query = config.query.strip()
    within = f"/r/{config.subreddit}" if config.subreddit else ""
    if query:
        address = with_query(
            f"{API}{within}/search",
            q=query,
            sort="new",
            type="link",
            restrict_sr="true" if within else None,
        )
    else:
        address = f"{API}{within}/{'comments' if config.posts == 'comments' else 'new'}"
    # Without raw_json, Reddit escapes <, > and & in texts.
    url = with_query(address, limit=PER_PAGE, raw_json=1, after=after)
    return Request(url=url, headers={"Accept": "application/json"}, state=state or {})


def _anchors(state: Any) -> list[str]:
    names = [name for name in listed(at(state, "anchors")) if isinstance(name, str)]
    return [name for name in names if _FULLNAME.fullmatch(name)]
