"""Trustpilot: the state that its pages embed for their own script (``__NEXT_DATA__``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import DriftError, ParseError
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.embedded import json_ld, script_json
from crawlers.reading.json_body import (
    Json,
    at,
    count,
    counts,
    known,
    listed,
    name_of,
    stars,
    words,
)
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import WebAddress, page_number, with_query

BEST_RATING = 5
#: Reviews are published late after a check and edited later; this much is always read again.
OVERLAP = timedelta(days=1)
_DOMAIN = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)?$"


class TrustpilotConfig(Config):
    """A firm, by the domain in the address of its page there."""

    domain: str = Field(min_length=1, max_length=253, pattern=_DOMAIN)
    base_url: WebAddress = "https://www.trustpilot.com"


class Trustpilot(Spider):
    """Reviews in all languages, newest first.

    The firm's reply stands in ``extra["reply"]`` and is no post: it is the firm's own word and
    must never be judged as a complaint.
    """

    kind = "trustpilot"
    title = "Trustpilot reviews"
    family = Family.EMBEDDED_STATE
    config = TrustpilotConfig
    minimum_interval_seconds = 900
    is_verified = True
    is_gapless = True
    promise = Promise(
        filled={"title": 0.9, "text": 0.9, "author": 0.9, "rating": 0.95, "published_at": 0.95}
    )

    @override
    def start(self, config: TrustpilotConfig, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: edits show there."""
        return _page(config, number=1)

    @override
    def parse(
        self, fetched: Fetched, config: TrustpilotConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read the reviews of one page."""
        text = read(fetched)
        props = _props(fetched, text)
        reviews = listed(props["reviews"])
        announced = _announced(text, props)
        if announced and not reviews:
            raise DriftError(f"the page says that it lists {announced} reviews and embeds none")
        read_reviews = [_read(review, fetched, config) for review in reviews]
        posts = tuple(one for one in read_reviews if isinstance(one, Post))
        following = _next(props, posts, fetched, config, cursor=cursor)
        return Page(
            posts=posts,
            problems=tuple(one for one in read_reviews if isinstance(one, Problem)),
            next=following if isinstance(following, Request) else None,
            dead_end=following if isinstance(following, DriftError) else None,
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            announced=announced,
        )


def _page(config: TrustpilotConfig, *, number: int) -> Request:
    address = f"{config.base_url.rstrip('/')}/review/{config.domain}"
    wanted = number if number > 1 else None  # the site redirects ?page=1
    return Request(url=with_query(address, languages="all", sort="recency", page=wanted))


def _props(fetched: Fetched, text: str) -> Mapping[str, Json]:
    state = script_json(text, element_id="__NEXT_DATA__")
    if state is None:
        raise unexpected(fetched, text, lacks="embedded state (__NEXT_DATA__)")
    props = at(state, "props", "pageProps")
    if not isinstance(props, Mapping) or not isinstance(props.get("reviews"), list):
        raise unexpected(fetched, text, lacks="list of reviews in its embedded state")
    return props


def _announced(text: str, props: Mapping[str, Json]) -> int | None:
    """How many reviews the page shows to search engines, else what its pager promises."""
    shown = sum(
        1 for thing in json_ld(text) if at(thing, "@type") == "Review" and at(thing, "reviewRating")
    )
    if shown:
        return shown
    pager = at(props, "filters", "pagination")
    total, page = count(at(pager, "totalCount")), count(at(pager, "currentPage"))
    size = count(at(pager, "perPage"))
    if total is None or not page or not size:
        return None
    return max(0, min(size, total - (page - 1) * size))


def _next(
    props: Mapping[str, Json],
    posts: Sequence[Post],
    fetched: Fetched,
    config: TrustpilotConfig,
    *,
    cursor: Cursor,
) -> Request | DriftError | None:
    pager = at(props, "filters", "pagination")
    page = count(at(pager, "currentPage")) or page_number(fetched.url, default=1)
    pages = count(at(pager, "totalPages"))
    asked = page_number(fetched.url, default=page)
    is_sorted = at(props, "filters", "selected", "sort") in (None, "recency")
    if is_sorted and reach.is_reached(cursor, posts, overlap=OVERLAP):
        return None
    # Not the posts: behind a page of items that nobody can read there may be good ones.
    if not listed(props["reviews"]) or page != asked:
        return None
    if pages is None:
        return DriftError("the page no longer says how many pages of reviews there are")
    if page >= pages:
        return None
    return _page(config, number=page + 1)


def _read(review: Json, fetched: Fetched, config: TrustpilotConfig) -> Post | Problem:
    try:
        return _post(review, fetched, config)
    except ParseError as error:
        external_id = name_of(at(review, "id"))
        return Problem(
            reason=str(error), url=fetched.url, external_id=external_id, excerpt=error.excerpt
        )


def _post(review: Json, fetched: Fetched, config: TrustpilotConfig) -> Post:
    external_id = name_of(at(review, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url, item=review)
    text, title = tidy(words(at(review, "text")) or ""), words(at(review, "title"))
    if not text and not title:
        raise ParseError("text", url=fetched.url, item=review)
    rating = stars(at(review, "rating"), best=BEST_RATING)
    published_at, quality = _date(review, fetched, "publishedDate", "createdDate", "submittedDate")
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=f"{config.base_url.rstrip('/')}/reviews/{quote(external_id, safe='')}",
        kind=PostKind.REVIEW,
        author=words(at(review, "consumer", "displayName")),
        author_id=name_of(at(review, "consumer", "id")),
        published_at=published_at,
        published_quality=quality,
        edited_at=_date(review, fetched, "updatedDate")[0],
        language=words(at(review, "language")),
        rating=rating,
        rating_scale=float(BEST_RATING) if rating is not None else None,
        engagement=counts(likes=count(at(review, "likes"))),
        extra=_extra(review, fetched),
    )


def _date(review: Json, fetched: Fetched, *keys: str) -> ReadDate:
    for key in keys:
        found = read_date(words(at(review, "dates", key)), now=fetched.fetched_at)
        if found[0] is not None:
            return found
    return NO_DATE


def _extra(review: Json, fetched: Fetched) -> dict[str, object]:
    # The key was "pending" until 2025 and is "isPending" in 2026.
    is_pending = at(review, "isPending") or at(review, "pending")
    experienced_at = _date(review, fetched, "experiencedDate")[0]
    return known(
        reply=_reply(review),
        experienced_on=experienced_at.date().isoformat() if experienced_at else None,
        country=words(at(review, "consumer", "countryCode")),
        is_verified=at(review, "labels", "verification", "isVerified") is True or None,
        is_pending=bool(is_pending) or None,
        location=words(at(review, "location", "name")),
    )


def _reply(review: Json) -> dict[str, object]:
    reply = at(review, "reply")
    return known(
        text=tidy(words(at(reply, "message")) or ""),
        published_at=words(at(reply, "publishedDate")),
        edited_at=words(at(reply, "updatedDate")),
    )
