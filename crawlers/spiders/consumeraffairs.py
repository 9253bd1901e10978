"""ConsumerAffairs: cards of complaints in the HTML; off unless an operator adds a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urldefrag

from parsel import Selector
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
from crawlers.reading.json_body import counts, known, words
from crawlers.reading.markup import text_of, tidy, tree_of
from crawlers.reading.web_address import WebAddress, joined, page_number, with_query

#: Dates are days, and old reviews come back to the top when they are featured.
OVERLAP = timedelta(days=7)
LANGUAGES = ("en-US",)
CARDS = ".rvw[data-id]"
_PLACE = ".js-paginator-data, .js-prf-rw, .prf-rw, .js-profile-pager"
_TOTAL = re.compile(r"(\d[\d,]{0,9})\s+(?:consumer )?(?:reviews?|complaints?)", re.I)
_NUMBER = re.compile(r"\d[\d,]{0,9}")
# Dates seen: "Original review: Sept. 28, 2018", "Resolution response: Oct. 2, 2018".
_LABELLED = re.compile(r"(?P<label>[^:]{1,40}):\s*(?P<date>.{4,40})", re.S)


class ConsumerAffairsConfig(Config):
    """A firm, by the address of its page."""

    url: WebAddress


class ConsumerAffairs(Spider):
    """Complaints, newest first, except for one that a firm may feature at the top.

    The firm's reply stands in ``extra["reply"]`` and is no post; the customer's own later word
    on the outcome is part of the text, and its date is that of the edit.
    """

    kind = "consumeraffairs"
    title = "ConsumerAffairs complaints"
    family = Family.CARDS
    config = ConsumerAffairsConfig
    minimum_interval_seconds = 3600
    is_verified = True
    is_opt_in = True
    promise = Promise(filled={"author": 0.9, "rating": 0.5, "published_at": 0.9})

    @override
    def start(self, config: ConsumerAffairsConfig, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: edits show there."""
        return Request(url=with_query(config.url, page=None))

    @override
    def parse(
        self, fetched: Fetched, config: ConsumerAffairsConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read the cards of one page."""
        text = read(fetched)
        tree = tree_of(text)
        cards = tree.css(CARDS)
        announced = max(len(cards), len(tree.css('[itemprop="reviews"]')))
        if not cards:
            _check_empty(tree, fetched, text, announced=announced)
        read_cards = [_read(card, fetched, config) for card in cards]
        posts = tuple(one for one in read_cards if isinstance(one, Post))
        return Page(
            posts=posts,
            problems=tuple(one for one in read_cards if isinstance(one, Problem)),
            next=_next(tree, posts, fetched, config, cursor=cursor),
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            announced=announced,
        )


def _check_empty(tree: Selector, fetched: Fetched, text: str, *, announced: int) -> None:
    """No card is fine where the page is the known one and promises none."""
    if announced:
        raise DriftError(f"the page marks {announced} reviews up and no card holds one")
    total = _TOTAL.search(tree.css("title").xpath("string()").get() or "")
    if not tree.css(_PLACE):
        raise unexpected(fetched, text, lacks="list of reviews")
    if total and int(total[1].replace(",", "")) and page_number(fetched.url, default=1) == 1:
        raise DriftError(f"the page says {total[1]} reviews and shows none that we can read")


def _next(
    tree: Selector,
    posts: Sequence[Post],
    fetched: Fetched,
    config: ConsumerAffairsConfig,
    *,
    cursor: Cursor,
) -> Request | None:
    """Follow the pager by number and on the configured host; it only ever goes up."""
    link = tree.css('a[rel="next"]::attr(href), link[rel="next"]::attr(href)').get()
    number = page_number(joined(fetched.url, link) or "", default=0)
    # Not the posts: behind a page of cards that nobody can read there may be good ones.
    if not tree.css(CARDS) or number <= page_number(fetched.url, default=1):
        return None
    if reach.is_reached(cursor, posts, overlap=OVERLAP):
        return None
    return Request(url=with_query(config.url, page=number))


def _read(card: Selector, fetched: Fetched, config: ConsumerAffairsConfig) -> Post | Problem:
    external_id = words(card.attrib.get("data-id"))
    try:
        return _post(card, external_id, fetched, config)
    except ParseError as error:
        return Problem(
            reason=str(error),
            url=fetched.url,
            external_id=external_id,
            excerpt=tidy(str(card.xpath("string()").get()))[:500],
        )


def _post(
    card: Selector, external_id: str | None, fetched: Fetched, config: ConsumerAffairsConfig
) -> Post:
    if external_id is None:
        raise ParseError("data-id", url=fetched.url)
    text = "\n\n".join(filter(None, map(text_of, card.css(".rvw-bd p").getall())))
    if not text:
        raise ParseError("text", url=fetched.url)
    dates = _dates(card, fetched)
    published_at, quality = dates.get("original review", dates.get("review", NO_DATE))
    rating = _number(card.css('[itemprop="reviewRating"] [itemprop="ratingValue"]'))
    scale = _number(card.css('[itemprop="reviewRating"] [itemprop="bestRating"]'))
    return Post(
        external_id=external_id,
        text=text,
        url=f"{urldefrag(config.url).url}#review-{external_id}",
        kind=PostKind.COMPLAINT,
        author=_said(card, '[itemprop="author"]'),
        published_at=published_at,
        published_quality=quality,
        edited_at=dates.get("resolution response", dates.get("updated review", NO_DATE))[0],
        rating=rating,
        rating_scale=(scale or 5.0) if rating is not None else None,
        engagement=counts(helpful=_helpful(card)),
        extra=_extra(card, fetched),
    )


def _dates(card: Selector, fetched: Fetched) -> dict[str, ReadDate]:
    """The dates of a card by their labels, in small letters."""
    dates = {}
    for said in card.css(".rvw-bd span.ca-txt-cpt").xpath("string()").getall():
        labelled = _LABELLED.search(tidy(said))
        if labelled:
            dates[labelled["label"].strip().lower()] = _date(labelled["date"], fetched)
    return dates


def _date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)


def _number(found: Sequence[Selector]) -> float | None:
    said = found[0].attrib.get("content", "") if found else ""
    digits = re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", said.strip())
    return float(digits[0]) if digits else None


def _said(card: Selector, css: str) -> str | None:
    found = card.css(css).get()
    return words(text_of(found)) if found else None


def _helpful(card: Selector) -> int | None:
    """ "14 people found this review helpful"; without a number it is nobody yet."""
    said = _said(card, ".js-helpful-count, .rvw-foot__helpful-count")
    if said is None:
        return None
    number = _NUMBER.match(said)
    return int(number[0].replace(",", "")) if number else 0


def _extra(card: Selector, fetched: Fetched) -> dict[str, object]:
    marks = " ".join(card.css(".rvw-aut__inf-ver").xpath("string()").getall())
    return known(
        reply=_reply(card, fetched),
        is_verified_reviewer="Verified Reviewer" in marks or None,
        is_verified_buyer="Verified Buyer" in marks or None,
        is_featured=bool(card.css(".rvw__ft-ttl")) or None,
    )


def _reply(card: Selector, fetched: Fetched) -> dict[str, object]:
    reply = card.css(".rvw-comp-resp")
    written = reply.css("time::attr(datetime)").get() or reply.css("time::text").get()
    published_at = _date(written, fetched)[0]
    paragraphs = reply.css(".rvw-comp-resp__txt p, .rvw-comp-resp__txt:not(:has(p))").getall()
    return known(
        text="\n\n".join(filter(None, map(text_of, paragraphs))),
        published_at=published_at.isoformat() if published_at else None,
    )
