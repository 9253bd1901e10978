"""Google Business Profile: reviews of a place, for its owner.

Built to developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
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
from crawlers.errors import AuthError, CrawlError, ParseError
from crawlers.families.bearer import with_bearer
from crawlers.families.google_api import explain_google, reasons_of
from crawlers.families.items import Listing
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, at, count, known, name_of, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import query_of, with_query

PER_PAGE = 50
_STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}
_TRANSLATED, _ORIGINAL = "(Translated by Google)", "(Original)"
_LOG_IN = "https://oauth2.googleapis.com/token"
_SITE = "https://business.google.com/reviews"


class GoogleBusinessConfig(ConfigWithCredential):
    """A place, by the numbers that the API gives its account and location."""

    account: str = Field(pattern=r"^\d{1,30}$")
    location: str = Field(pattern=r"^\d{1,30}$")


class GoogleBusiness(JsonSpider):
    """Reviews, last changed first; unverified: no recording of the API was to be had.

    The owner's reply stands in ``extra["reply"]``. A review that gives stars and no words is no
    post: there is nothing to judge.
    """

    kind = "google-business"
    title = "Google Business Profile reviews"
    config = GoogleBusinessConfig
    minimum_interval_seconds = 300
    is_verified = False
    secrets: ClassVar[Mapping[str, str]] = {
        "client_id": "of an OAuth client whose project has access to the Business Profile APIs",
        "client_secret": "of the same client",
        "refresh_token": "given by the owner for the scope business.manage",
    }
    quotas: ClassVar[Mapping[str, Quota]] = {"": Quota(units=300, period=timedelta(minutes=1))}
    promise = Promise(filled={"rating": 0.95, "published_at": 0.99})
    items_at = ("reviews",)
    id_key = "reviewId"
    ends_empty = False  # Google's lists end where there is no token, and only there
    api: ClassVar[str] = "https://mybusiness.googleapis.com/v4"  #: no setting: see ``sign``

    @override
    def start(self, config: GoogleBusinessConfig, *, cursor: Cursor) -> Request:
        """The reviews that were changed last, whatever the cursor."""
        return self._page(config, token=None)

    def _page(self, config: GoogleBusinessConfig, *, token: str | None) -> Request:
        url = f"{self.api}/accounts/{config.account}/locations/{config.location}/reviews"
        return Request(
            url=with_query(url, pageSize=PER_PAGE, orderBy="updateTime desc", pageToken=token)
        )

    @override
    def log_in(self, config: GoogleBusinessConfig, secrets: Secrets) -> Request:
        """Change the refresh token for an access token."""
        form = {name: secrets[name] for name in self.secrets}
        return Request(
            url=_LOG_IN,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({**form, "grant_type": "refresh_token"}),
        )

    @override
    def read_token(self, fetched: Fetched) -> Token:
        """The access token, good for about an hour."""
        body = body_of(fetched)
        value, seconds = words(body.get("access_token")), count(body.get("expires_in"))
        if fetched.status in (400, 401, 403) or (fetched.status == 200 and value is None):
            said = quoted(body.get("error_description") or body.get("error"))
            raise AuthError(f"Google does not take the refresh token{said}")
        if value is None:
            raise CrawlError(f"the log-in at Google answered {fetched.status}")
        lasts = timedelta(seconds=min(max(seconds, 0), 86_400)) if seconds is not None else None
        return Token(value=value, expires_at=None if lasts is None else fetched.fetched_at + lasts)

    @override
    def sign(
        self,
        request: Request,
        config: GoogleBusinessConfig,
        secrets: Secrets,
        *,
        token: Token | None,
    ) -> Request:
        """The access token, as a header."""
        if token is None:
            raise AuthError("there is no access token to ask for reviews with")
        return with_bearer(request, token.value)

    @override
    def parse(
        self, fetched: Fetched, config: GoogleBusinessConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read one page; what counts for how far to read is when a review was changed."""
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        changed = [
            replace(post, published_at=post.edited_at or post.published_at) for post in page.posts
        ]
        is_reached = reach.is_reached(cursor, changed, overlap=self.overlap)
        moved = reach.moved(ahead, changed, now=fetched.fetched_at)
        return replace(page, next=None if is_reached else page.next, ahead=moved)

    @override
    def listing(self, fetched: Fetched, text: str, config: GoogleBusinessConfig) -> Listing[Json]:
        """The reviews, in an order that is not that of their writing."""
        return replace(super().listing(fetched, text, config), is_sorted=False)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The reviews; the API leaves an empty list out."""
        is_empty = isinstance(body, Mapping) and not body.get("reviews")
        is_first = "pageToken" not in query_of(fetched.url)
        if is_empty and not (is_first and count(body.get("totalReviewCount"))):
            return []
        return super().items(body, fetched)

    @override
    def following(
        self, body: Json, fetched: Fetched, config: GoogleBusinessConfig
    ) -> Request | None:
        """The page behind this one."""
        token = words(at(body, "nextPageToken"))
        return self._page(config, token=token) if token else None

    @override
    def post(self, item: Json, fetched: Fetched, config: GoogleBusinessConfig) -> Post | None:
        """Read one review."""
        external_id = name_of(at(item, "reviewId"))
        if external_id is None:
            raise ParseError("reviewId", url=fetched.url, item=item)
        text = _original(words(at(item, "comment")) or "")
        if not text:
            return None
        rating = _STARS.get(str(at(item, "starRating")))
        published_at, quality = _date(item, "createTime", fetched)
        updated_at = _date(item, "updateTime", fetched)[0]
        is_edited = bool(published_at and updated_at and updated_at > published_at)
        return Post(
            external_id=external_id,
            text=text,
            url=f"{_SITE}#{external_id}",
            kind=PostKind.REVIEW,
            author=words(at(item, "reviewer", "displayName")),
            published_at=published_at,
            published_quality=quality,
            edited_at=updated_at if is_edited else None,
            rating=rating,
            rating_scale=5.0 if rating is not None else None,
            extra=known(reply=_reply(at(item, "reviewReply"))),
        )

    @override
    def explain(self, fetched: Fetched, config: GoogleBusinessConfig) -> CrawlError | None:
        """A spent quota, a refused token, a place that is not the owner's."""
        said = quoted(at(body_of(fetched), "error", "message"))
        if fetched.status == 404:
            return CrawlError(f"Google knows no such place of this owner{said}")
        return explain_google(fetched)

    @override
    def recheck(self, config: GoogleBusinessConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for one review by its id."""
        if not posts:
            return None
        base = self._page(config, token=None).url.partition("?")[0]
        return Request(url=f"{base}/{quote(posts[0].external_id, safe='')}")

    @override
    def parse_recheck(
        self, fetched: Fetched, config: GoogleBusinessConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """The review as it is, or that it is gone."""
        if fetched.status in (404, 410):
            if not reasons_of(fetched):
                raise unexpected(fetched, decode(fetched.body), lacks="word of Google")
            return Page(gone=tuple(post.external_id for post in posts[:1]))
        item = self.body(fetched, read(fetched))
        found, problems, _ = self.read_items([item], fetched, config)
        return Page(posts=found, problems=problems)


def _original(text: str) -> str:
    """What was written, without Google's translation, which comes before or behind it."""
    if _ORIGINAL in text:
        text = text.partition(_ORIGINAL)[2]
    return tidy(text.partition(_TRANSLATED)[0]) or tidy(text)


def _date(item: Json, key: str, fetched: Fetched) -> ReadDate:
    return read_date(words(at(item, key)), now=fetched.fetched_at)


def _reply(reply: Json) -> dict[str, object]:
    return known(
        text=_original(words(at(reply, "comment")) or ""),
        published_at=words(at(reply, "updateTime")),
    )
