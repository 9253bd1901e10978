"""Sitejabber (SmartCustomer): the API through which a firm reads the reviews it got."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    Page,
    Promise,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import AuthError, CrawlError, DriftError, ParseError, QuotaError
from crawlers.families.json_api import JsonSpider
from crawlers.reading.answers import read
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.json_body import (
    Json,
    at,
    count,
    counts,
    known,
    listed,
    name_of,
    parse_json,
    words,
)
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import query_of, with_query

BEST_RATING = 5
PER_PAGE = 100
_API = "https://api.sitejabber.com"  # no setting: the tokens go nowhere else
_SITE = "https://www.sitejabber.com"  # leads to smartcustomer.com today
# Codes of the documentation: whose token is no good, and what is too much.
_AUTH = frozenset({101, 102, *range(201, 208), 308})
_QUOTA = frozenset({303, 429})


class SitejabberConfig(ConfigWithCredential):
    """A firm of one's own, by its domain."""

    domain: str = Field(min_length=3, max_length=253, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")


class Sitejabber(JsonSpider):
    """Reviews, newest first, and after them the ids of those that the site has removed.

    Built to the documentation of the Business API v1 (sitejabber/business-api-docs); only its
    example was read, so it is unverified. A firm's answers have an address of their own for each
    review and are not read.
    """

    kind = "sitejabber"
    title = "Sitejabber / SmartCustomer reviews (firm's own)"
    config = SitejabberConfig
    minimum_interval_seconds = 1800
    is_verified = False
    is_gapless = False  # its order is not documented, and the site lists what it has removed
    secrets = MappingProxyType(
        {
            "client_token": "the API key that Sitejabber gave the firm",
            "user_token": "of a log-in of the firm; it holds for about six months",
        }
    )
    promise = Promise(filled={"text": 0.9, "author": 0.9, "rating": 0.9, "published_at": 0.95})
    overlap = timedelta(days=14)  #: a review keeps its date and shows when it was checked
    id_key = "reviewNo"

    @override
    def start(self, config: SitejabberConfig, *, cursor: Cursor) -> Request:
        """The newest reviews, whatever the cursor: edits show there."""
        return _list(config, start=0)

    @override
    def parse(
        self, fetched: Fetched, config: SitejabberConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read one page of reviews, or of the removed ones, which come last."""
        if query_of(fetched.url).get("deleted") == "1":
            items = self.items(self.body(fetched, read(fetched)), fetched)
            following = self.following(items, fetched, config)
            gone = tuple(filter(None, map(self.id_of, items)))
            return Page(gone=gone, ahead=ahead, next=following)
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        return replace(page, next=page.next or _list(config, start=0, deleted=1))

    @override
    def body(self, fetched: Fetched, text: str) -> Json:
        """The answer; its own errors come with their number."""
        body = super().body(fetched, text)
        if at(body, "status") == "ERROR" or at(body, "success") is False:
            raise _error(body)
        return body

    @override
    def explain(self, fetched: Fetched, config: SitejabberConfig) -> CrawlError | None:
        """The API's own error, whatever the status."""
        try:
            body = parse_json(fetched.body[:10_000].decode("utf-8", "replace"), what="the error")
        except DriftError:
            return None
        return _error(body) if at(body, "errorCode") is not None else None

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The documentation shows a bare array; single reviews stand in an object."""
        found = at(body, "reviews")
        one = at(body, "review")
        if isinstance(one, dict):
            return [one]
        return super().items(found if isinstance(found, list) else body, fetched)

    @override
    def following(self, body: Json, fetched: Fetched, config: SitejabberConfig) -> Request | None:
        """The next hundred, as long as a page is full."""
        query = query_of(fetched.url)
        start = query.get("start", "0")
        if len(self.items(body, fetched)) < PER_PAGE or not start.isdigit() or len(start) > 6:
            return None
        return _list(config, start=int(start) + PER_PAGE, deleted=query.get("deleted"))

    @override
    def post(self, item: Json, fetched: Fetched, config: SitejabberConfig) -> Post | None:
        """Read one review; one that is not published yet is none."""
        external_id = self.id_of(item)
        if external_id is None:
            raise ParseError("reviewNo", url=fetched.url, item=item)
        if at(item, "published") == "pending":
            return None
        text, title = tidy(words(at(item, "content")) or ""), words(at(item, "title"))
        if not text and not title:
            raise ParseError("content", url=fetched.url, item=item)
        ratings = _ratings(item)
        rating = ratings.pop("overall", None)
        published_at, quality = _date(item, fetched, "published", "created")
        site = f"{_SITE}/reviews/{quote(config.domain)}"
        return Post(
            external_id=external_id,
            text=text,
            title=title,
            url=f"{site}#{quote(external_id, safe='')}",
            kind=PostKind.REVIEW,
            author=_author(item),
            author_id=name_of(at(item, "author", "username")),
            published_at=published_at,
            published_quality=quality,
            edited_at=_date(item, fetched, "edited")[0],
            rating=rating,
            rating_scale=float(BEST_RATING) if rating is not None else None,
            engagement=counts(
                helpful=count(at(item, "positive_votes")),
                not_helpful=count(at(item, "negative_votes")),
            ),
            extra=known(
                ratings=ratings,
                tip=words(at(item, "tip")),
                updates=name_of(at(item, "updated_for", "reviewNo")),
                came_by=words(at(item, "source")),
                datasource=words(at(item, "datasource")),
            ),
        )

    @override
    def sign(
        self, request: Request, config: SitejabberConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """The firm's key can only stand in the address, the person's token in a header."""
        return replace(
            request,
            url=with_query(request.url, client_token=secrets["client_token"]),
            headers={**request.headers, "user_token": secrets["user_token"]},
        )


def _list(config: SitejabberConfig, *, start: int, deleted: int | str | None = None) -> Request:
    base = f"{_API}/v1/businesses/{quote(config.domain)}/reviews"
    return Request(
        url=with_query(base, start=start, count=PER_PAGE, order="DESC", deleted=deleted),
        headers={"Accept": "application/json"},
    )


def _error(body: Json) -> CrawlError:
    code, reason = count(at(body, "errorCode")), words(at(body, "errorReason")) or "no reason"
    kind = AuthError if code in _AUTH else QuotaError if code in _QUOTA else CrawlError
    return kind(f"the API answers with error {code}: {reason[:200]}")


def _ratings(item: Json) -> dict[str, float]:
    """Each sort of rating, such as "service"; the API writes numbers as strings."""
    found = {}
    for one in listed(at(item, "rating"))[:20]:
        kind, said = words(at(one, "type")), str(at(one, "rating"))
        if kind and len(said) < 6 and said.replace(".", "", 1).isdigit() and said.isascii():
            found[kind[:40]] = float(said)
    return {kind: stars for kind, stars in found.items() if 1 <= stars <= BEST_RATING}


def _author(item: Json) -> str | None:
    names = (words(at(item, "author", key)) for key in ("firstName", "lastName"))
    return " ".join(filter(None, names)) or words(at(item, "author", "username"))


def _date(item: Json, fetched: Fetched, *keys: str) -> ReadDate:
    """With its zone (seen: "2016/04/25T04:07:38-07:00"), else as the site's local time."""
    for name in (name for key in keys for name in (f"{key}RFC", key)):
        said = words(at(item, name))
        found = read_date(said, now=fetched.fetched_at, zone=fetched.time_zone)
        if found[0] is not None:
            return found
    return NO_DATE
