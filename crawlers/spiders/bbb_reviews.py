"""Customer reviews at the Better Business Bureau: its own JSON, alone or inside a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal
from urllib.parse import quote

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Cursor, Fetched, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.bbb_profile import BbbConfig
from crawlers.families.bbb_review_cards import CARDS, as_json
from crawlers.families.json_api import JsonSpider
from crawlers.families.portions import portion
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.embedded import assigned_json
from crawlers.reading.json_body import Json, at, count, known, listed, name_of, parse_json, words
from crawlers.reading.markup import text_of, tree_of
from crawlers.reading.web_address import page_number, with_query

BEST_RATING = 5
PAGE_SIZE = 15  # what the site's own pages ask for
_REST = "rest"  #: of a page of too many cards: what asks for it again
_API = "/api/businessprofile/customerreviews"
_NONE = re.compile(r"\b(?:0|no)\s+(?:total\s+|customer\s+)?reviews?\b", re.I)


class BbbReviewsConfig(BbbConfig):
    """A firm, by its profile."""

    via: Literal["api", "page"] = Field(
        default="api", description="its JSON, or the page /customer-reviews, where that is allowed"
    )


class BbbReviews(JsonSpider):
    """Reviews with stars, newest first. Unverified: built to what scrapers of 2023–2026 ask for.

    The review may stand in ``text`` or, where that is null, in the first of ``extendedText``;
    what the customer said later belongs to the text, and the last of the firm's answers stands
    in ``extra["reply"]``.
    """

    kind = "bbb-reviews"
    title = "BBB customer reviews"
    config = BbbReviewsConfig
    minimum_interval_seconds = 3600
    is_verified = False
    is_opt_in = True
    is_gapless = False  # a page that is read in place of the API may have another order
    overlap = timedelta(days=7)  # they are published after a check
    promise = Promise(filled={"author": 0.9, "rating": 0.9, "published_at": 0.95})
    items_at = ("items",)

    @override
    def start(self, config: BbbReviewsConfig, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: answers show there."""
        return _page(config, number=1)

    @override
    def body(self, fetched: Fetched, text: str) -> Json:
        """The list, whether the answer is JSON, or a page with it inside, or one with cards."""
        if text.lstrip("\ufeff \t\r\n")[:1] != "<":
            return parse_json(text, what="the answer")
        state = assigned_json(text, name="window.__PRELOADED_STATE__")
        reviews = at(state, "businessProfile", "customerReviews")
        if isinstance(reviews, Mapping) and isinstance(reviews.get("items"), list):
            return reviews
        return _cards(fetched, text)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The reviews; that there are none is believed only where the total is none, too."""
        found = super().items(body, fetched)
        total = count(at(body, "numFound"))
        if not found and total != 0 and _number(fetched.url) == 1:
            says = "does not say how many" if total is None else f"says that there are {total}"
            raise DriftError(f"the list of reviews is empty and the site {says}")
        return found

    @override
    def following(self, body: Json, fetched: Fetched, config: BbbReviewsConfig) -> Request | None:
        """The next, as long as the answer says that there are more pages, or else a full page."""
        rest, number = at(body, _REST), _number(fetched.url)
        if isinstance(rest, Request):
            return rest
        pages = count(at(body, "totalPages"))
        goes_on = number < pages if pages is not None else len(body["items"]) >= PAGE_SIZE
        return _page(config, number=number + 1) if goes_on else None

    @override
    def post(self, item: Json, fetched: Fetched, config: BbbReviewsConfig) -> Post:
        """One review, with all that its customer said."""
        external_id = name_of(at(item, "id"))
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        said, later, answers = _said(item)
        if not said:
            raise ParseError("text", url=fetched.url, item=item)
        published_at, quality = _date(at(item, "date"), fetched)
        rating = at(item, "reviewStarRating")
        is_number = isinstance(rating, int | float) and not isinstance(rating, bool)
        is_rated = is_number and 0 < rating <= BEST_RATING
        edits = [when for one in later if (when := _date(at(one, "date"), fetched)[0])]
        return Post(
            external_id=external_id,
            text="\n\n".join([said, *map(_text, later)]),
            url=f"{config.address('customer-reviews')}#{quote(external_id)}",
            kind=PostKind.REVIEW,
            author=words(at(item, "displayName")),
            published_at=published_at,
            published_quality=quality,
            edited_at=max(edits, default=None),
            rating=float(rating) if is_rated else None,
            rating_scale=float(BEST_RATING) if is_rated else None,
            extra=known(reply=_answer(answers[-1], fetched) if answers else None),
        )


def _page(config: BbbReviewsConfig, *, number: int) -> Request:
    if config.via == "page":
        address = config.address("customer-reviews")
        return Request(url=with_query(address, page=number if number > 1 else None))
    return Request(
        url=with_query(
            f"{config.base_url.rstrip('/')}{_API}",
            page=number,
            pageSize=PAGE_SIZE,
            businessId=config.firm_id,
            bbbId=config.bureau_id,
            sort="reviewDate desc, id desc",
        ),
        headers={"Accept": "application/json"},
    )


def _number(url: str) -> int:
    return page_number(url, default=1)


def _cards(fetched: Fetched, text: str) -> Json:
    """A page without embedded state; it knows of one further page if it links to it."""
    tree = tree_of(text)
    found = portion(tree.css(CARDS), fetched)
    if not found.items and not _NONE.search(text_of(text)):
        raise unexpected(fetched, text, lacks="list of reviews")
    links = tree.css('a[href*="page="]::attr(href)').getall()
    pages = max((page_number(link, default=1) for link in links), default=1)
    items = [as_json(card, url=fetched.url) for card in found.items]
    return {"items": items, "totalPages": pages, "numFound": len(items), _REST: found.rest}


def _said(item: Json) -> tuple[str, Sequence[Json], Sequence[Json]]:
    """What the customer said at first, what later, and what the firm answered."""
    extended = [one for one in listed(at(item, "extendedText")) if _text(one)]
    answers = [one for one in extended if at(one, "isBusiness") is True]
    later = [one for one in extended if at(one, "isBusiness") is not True]
    first = text_of(words(at(item, "text")) or "")
    if not first and later:
        first, later = _text(later[0]), later[1:]
    return first, [one for one in later if _text(one) != first], answers


def _text(one: Json) -> str:
    return text_of(words(at(one, "text")) or "")


def _answer(one: Json, fetched: Fetched) -> dict[str, object]:
    when = _date(at(one, "date"), fetched)[0]
    return known(text=_text(one), published_at=when.isoformat() if when else None)


def _date(date: Json, fetched: Fetched) -> ReadDate:
    """A day in three parts, each a number or a string; on some pages one string."""
    written = words(date)
    if written is None:
        parts = [name_of(at(date, key)) for key in ("year", "month", "day")]
        written = "-".join(part.zfill(2) for part in parts if part) if all(parts) else None
    if written is None:
        return NO_DATE
    return read_date(written, now=fetched.fetched_at, zone=fetched.time_zone, languages=("en-US",))
