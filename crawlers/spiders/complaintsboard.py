"""ComplaintsBoard: cards of complaints in microdata on the page of a firm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Fetched, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.cards import CardSpider, content, said
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import known
from crawlers.reading.markup import found_in, text_in
from crawlers.reading.numbers import decimal
from crawlers.reading.web_address import WebAddress

BEST_RATING = 5.0
LANGUAGES = ("en-US",)
_PAGE = re.compile(r"/page/(?P<number>\d{1,5})/?$")
# A card has no id of its own; it leaks through its links: "#c1931240" (shared), "…-c1931240",
# "#create-comment-1931240", "/images/complaint/full/1931240/….png".
_ID = re.compile(
    r"#c(\d{4,12})\b|-c(\d{4,12})(?:\.html)?(?=[/?#]|$)|#create-comment-(\d{4,12})\b"
    r"|/images/(?:complaint|post)/full/(\d{4,12})/"
)
_OWN_ID = re.compile(r"c?(\d{4,12})")
# What became of a complaint, by the site's words; of several the first here counts.
_STATUSES = {"resolved": "resolved", "unresolved": "unresolved", "replied": "answered"}


class ComplaintsBoardConfig(Config):
    """A firm, by the address of its page, e.g. ``…/kavira-b144612``."""

    url: WebAddress


class ComplaintsBoard(CardSpider):
    """Complaints, newest first. Unverified: built to the markup that scrapers met in 2021–2026.

    What became of a complaint is in ``extra["case"]``, where the card says so. Comments beneath
    it, the firm's among them, are not read: how they are marked is not known.
    """

    kind = "complaintsboard"
    title = "ComplaintsBoard complaints"
    config = ComplaintsBoardConfig
    minimum_interval_seconds = 3600
    is_verified = False
    overlap = timedelta(days=7)
    promise = Promise(filled={"published_at": 0.9, "author": 0.8, "title": 0.8})
    cards = "div.complaint"
    noun = "complaints"
    total = re.compile(r"(\d[\d,]{0,9})\s+(?:complaints?|reviews?)\b", re.I)
    says_none = re.compile(r"\bno\s+(?:complaints|reviews)\b|be the first to (?:write|post)", re.I)

    @override
    def page(self, config: ComplaintsBoardConfig, *, number: int) -> Request:
        """The number of a page is the end of its path."""
        parts = urlsplit(config.url)
        path = _PAGE.sub("", parts.path).rstrip("/") + (f"/page/{number}" if number > 1 else "")
        return Request(url=urlunsplit((parts.scheme, parts.netloc, path, "", "")))

    @override
    def number(self, url: str) -> int:
        """The first page has no number."""
        found = _PAGE.search(urlsplit(url).path)
        return int(found["number"]) if found else 1

    @override
    def id_of(self, item: Selector) -> str | None:
        """The number of the complaint, wherever the card tells it."""
        own = (_OWN_ID.fullmatch(item.attrib.get(name, "")) for name in ("id", "data-id"))
        leaked = (_ID.search(link) for link in _links(item))
        found = next((one for one in (*own, *leaked) if one), None)
        return next(filter(None, found.groups()), None) if found else None

    @override
    def post(self, item: Selector, fetched: Fetched, config: ComplaintsBoardConfig) -> Post:
        """One complaint; a long one stands there twice, the first time cut short."""
        external_id = self.id_of(item)
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=text_in(item))
        bodies = map(text_in, found_in(item, '[itemprop="reviewBody"]'))
        text = max(bodies, key=len, default="")
        title = said(item, '[itemprop="about"], .complaint-main__header-name')
        if not text and not title:
            raise ParseError("text", url=fetched.url, item=text_in(item))
        published_at, quality = _published(item, fetched)
        rating = decimal(content(item, '[itemprop="ratingValue"]'))
        is_rated = rating is not None and 0 < rating <= BEST_RATING
        return Post(
            external_id=external_id,
            text=text,
            title=title,
            url=f"{self.page(config, number=1).url}#c{external_id}",
            kind=PostKind.COMPLAINT,
            author=said(item, '[itemprop="author"] [itemprop="name"], .author-header__name'),
            published_at=published_at,
            published_quality=quality,
            rating=rating if is_rated else None,
            rating_scale=BEST_RATING if is_rated else None,
            extra=_extra(item),
        )


def _links(card: Selector) -> Iterator[str]:
    yield from map(unquote, found_in(card, ".js-share::attr(data-url)"))
    yield from found_in(card, "a::attr(href)")


def _published(card: Selector, fetched: Fetched) -> ReadDate:
    """The day and, where the card says it in a zone that we know, the time of day."""
    day = content(card, '[itemprop="datePublished"], .author-header__date')
    whole = _date(f"{day} {said(card, '.author-header__time') or ''}", fetched) if day else None
    return whole if whole is not None and whole[0] is not None else _date(day, fetched)


def _extra(card: Selector) -> dict[str, object]:
    marks = [text_in(one) for one in found_in(card, "[class*=complaint-statuses__text]")]
    words = {mark.casefold() for mark in marks}
    status = next((status for word, status in _STATUSES.items() if word in words), None)
    address = said(card, '.author-header__address, [itemprop="address"]') or ""
    return known(
        about=said(card, '[itemprop="itemReviewed"] [itemprop="name"]'),
        location=address.removeprefix("of ").strip(),
        case=known(status=status, says=", ".join(filter(None, marks))),
        is_verified_customer=bool(found_in(card, '[class*="user--verified"]')) or None,
    )


def _date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)
