"""PissedConsumer: cards of reviews in microdata, on a host of the firm's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote, urlsplit

from parsel import Selector
from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Fetched, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.cards import CardSpider, content, labelled, said
from crawlers.reading.dates import ReadDate, first_date, read_date
from crawlers.reading.json_body import counts, known, words
from crawlers.reading.markup import found_in, text_in, tidy
from crawlers.reading.numbers import decimal, whole_number
from crawlers.reading.web_address import WebAddress, joined, page_number

BEST_RATING = 5.0
LANGUAGES = ("en-US",)
_LATER = re.compile(r".*/(?:(?P<number>\d{1,6})|(?P<name>complaints|reviews))/RT-P\.html")
# The second and the third page have names in place of numbers.
_NAMED = {"complaints": 2, "reviews": 3}
# Lines in a review that was edited: "Updated by user Mar 1, 2026", "Original review Feb 3, 2026".
_EDITED = re.compile(r"(?im)^updated by user[ :]*(?P<date>.{6,30})$")
_ORIGINAL = re.compile(r"(?im)^original review(?: posted)?(?: by user)?[ :]*(?P<date>.{6,30})$")


class PissedConsumerConfig(Config):
    """A firm, by its name there: ``kavira`` of ``https://kavira.pissedconsumer.com``."""

    firm: str = Field(
        min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
    )
    base_url: WebAddress | None = Field(default=None, description="instead of the firm's host")

    @property
    def origin(self) -> str:
        """What the addresses of its pages begin with."""
        return (self.base_url or f"https://{self.firm}.pissedconsumer.com").rstrip("/")


class PissedConsumer(CardSpider):
    """Reviews, newest first. Unverified: built to what scrapers of 2019–2026 read there.

    How the site marks a firm's answer is not known; the text is taken from the review's own
    element, so that an answer is not read at all rather than as a complaint.
    """

    kind = "pissedconsumer"
    title = "PissedConsumer reviews"
    config = PissedConsumerConfig
    minimum_interval_seconds = 3600
    is_verified = False
    overlap = timedelta(days=7)
    promise = Promise(filled={"published_at": 0.9, "title": 0.5, "rating": 0.3})
    cards = '.review-item[data-id], [itemprop="review"][data-id]'
    total = re.compile(r"(\d[\d,.]{0,9})K?\s+(?:[^\n]{0,80}\s)?(?:reviews|complaints)\b", re.I)
    says_none = re.compile(
        r"\bno\s+(?:reviews|complaints)\b|be the first to (?:write|review)", re.I
    )

    @override
    def page(self, config: PissedConsumerConfig, *, number: int) -> Request:
        """Sorted by date; the first page has an address of another form."""
        name = "review.html" if number == 1 else f"{number}/RT-P.html"
        return Request(url=f"{config.origin}/{name}?sort=latest")

    @override
    def number(self, url: str) -> int:
        """The number in the path, by name or digits, or in the query."""
        found = _LATER.fullmatch(urlsplit(url).path)
        if found is None:
            return page_number(url, default=1)
        return int(found["number"]) if found["number"] else _NAMED[found["name"]]

    @override
    def following(
        self, tree: Selector, fetched: Fetched, config: PissedConsumerConfig
    ) -> Request | None:
        """The next page, in whatever form the pager names it."""
        number = self.number(fetched.url) + 1
        whole = (joined(fetched.url, link) or "" for link in tree.css("a::attr(href)").getall())
        own = (
            one
            for one in whole
            if urlsplit(one).path.endswith("/review.html") or _LATER.fullmatch(urlsplit(one).path)
        )
        is_linked = any(self.number(one) == number for one in own)
        return self.page(config, number=number) if is_linked else None

    @override
    def post(self, item: Selector, fetched: Fetched, config: PissedConsumerConfig) -> Post:
        """One review; its edits are told in lines of its text."""
        external_id = words(item.attrib.get("data-id"))
        if external_id is None:
            raise ParseError("data-id", url=fetched.url)
        whole = said(item, '[itemprop="reviewBody"]') or said(item, ".overflow-text") or ""
        text = tidy(_EDITED.sub("", _ORIGINAL.sub("", whole)))
        title = said(item, '[itemprop="headline"], .review-item-title, h2')
        if not text and not title:
            raise ParseError("text", url=fetched.url, item=text_in(item))
        published_at, quality = _published(item, whole, fetched)
        edits = [_date(one["date"], fetched)[0] for one in _EDITED.finditer(whole)]
        rating = _rating(item)
        return Post(
            external_id=external_id,
            text=text,
            title=title,
            url=f"{config.origin}/review.html#review-{quote(external_id)}",
            kind=PostKind.REVIEW,
            author=said(item, '[itemprop="author"] [itemprop="name"], [itemprop="author"], .user'),
            published_at=published_at,
            published_quality=quality,
            edited_at=max(filter(None, edits), default=None),
            rating=rating,
            rating_scale=BEST_RATING if rating is not None else None,
            engagement=counts(helpful=whole_number(said(item, ".vote-yes .count"))),
            extra=_extra(item),
        )


def _published(card: Selector, text: str, fetched: Fetched) -> ReadDate:
    """Of an edited review the date of the original; the card may show that of the edit."""
    original = _ORIGINAL.search(text)
    candidates: Sequence[str | None] = (
        original["date"] if original else None,
        content(card, '[itemprop="datePublished"]'),
        card.css("time::attr(datetime)").get(),
        said(card, "time"),
    )
    return first_date(
        candidates, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES
    )


def _rating(card: Selector) -> float | None:
    marked = content(card, '[itemprop="ratingValue"]')
    stars = marked or card.css(".stars-wrap::attr(data-active-count)").get()
    rating = decimal(stars)
    return rating if rating is not None and 0 < rating <= BEST_RATING else None


def _extra(card: Selector) -> dict[str, object]:
    rows = "\n".join(map(text_in, found_in(card, ".f-component-info-row, .review-info-row")))
    place = [text_in(one).strip(" ,") for one in found_in(card, ".location-line span")]
    return known(
        about=said(card, '[itemprop="itemReviewed"] [itemprop="name"]'),
        location=", ".join(filter(None, place)),
        loss=labelled(rows, "loss"),
        wants=labelled(rows, "preferred solution"),
        is_verified_reviewer=bool(found_in(card, ".verified-reviewer")) or None,
    )


def _date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)
