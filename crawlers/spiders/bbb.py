"""Complaints at the Better Business Bureau, with what became of the case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Fetched, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.bbb_profile import BbbConfig
from crawlers.families.card_parts import Part, split
from crawlers.families.cards import CardSpider, labelled, said
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import found_in, text_in
from crawlers.reading.web_address import with_query

LANGUAGES = ("en-US",)
#: What a case may be, as the bureau documents it; others are kept in its own words only.
STATUSES = ("resolved", "unresolved", "answered", "unanswered", "unpursuable")
# Headings seen: "Business Response", "Customer response", "Customer Answer 01/12/2026".
_ANSWER = re.compile(r"(business|company|customer|consumer)\s+(?:response|answer|rebuttal)", re.I)
_OF_FIRM = ("business", "company")
_DATE = re.compile(r"(?:date:?\s*)?(\d{1,2}/\d{1,2}/\d{4})\s*", re.I)
_BODY = ".bpr-complaint-body, [data-body]"


class Bbb(CardSpider):
    """Complaints, newest first. Unverified: built to what scrapers of 2024–2026 read there.

    The text is the customer's alone, later words included; the firm's answers stand in
    ``extra["case"]["answers"]``, the last of them in ``extra["reply"]``. What became of the case
    is in ``extra["case"]["status"]``, in the bureau's words in ``["says"]``. A profile shows
    three years, and a resolved complaint may be taken down.
    """

    kind = "bbb"
    title = "BBB complaints"
    config = BbbConfig
    minimum_interval_seconds = 6 * 3600
    is_verified = False
    is_opt_in = True
    is_gapless = True
    #: Cases are closed within some 30 days, and each answer changes one.
    overlap = timedelta(days=45)
    promise = Promise(filled={"published_at": 0.9, "extra.case": 0.9})
    cards = "li.bpr-complaint-grid"
    noun = "complaints"
    total = re.compile(r"(\d[\d,]{0,9})\s+(?:total\s+|customer\s+)?complaints?\b", re.I)
    says_none = re.compile(r"\bno\s+complaints\b|has\s+not\s+received\s+any\s+complaints", re.I)

    @override
    def page(self, config: BbbConfig, *, number: int) -> Request:
        """The first page has no number."""
        address = config.address("complaints")
        return Request(url=with_query(address, page=number if number > 1 else None))

    @override
    def is_sorted(self, cards: Sequence[Selector], fetched: Fetched) -> bool:
        """The order is believed only where the page keeps it."""
        dates = [when for card in cards if (when := _date(_written(card), fetched)[0])]
        return dates == sorted(dates, reverse=True)

    @override
    def post(self, item: Selector, fetched: Fetched, config: BbbConfig) -> Post:
        """One complaint, with its answers taken out of its text."""
        external_id = words(item.attrib.get("id"))
        if external_id is None:
            raise ParseError("id", url=fetched.url)
        card, parts = split(item, titled=_ANSWER, url=fetched.url)
        complaint = _complaint(card)
        head = _heading(card, complaint)
        later = [part for part in parts if not _is_of_firm(part)]
        text = "\n\n".join(filter(None, [complaint, *(_words(part) for part in later)]))
        if not text:
            raise ParseError("text", url=fetched.url, item=text_in(item))
        published_at, quality = _date(_written(card, head), fetched)
        return Post(
            external_id=external_id,
            text=text,
            url=f"{config.address('complaints')}#{quote(external_id)}",
            kind=PostKind.COMPLAINT,
            published_at=published_at,
            published_quality=quality,
            edited_at=max(filter(None, (_when(part, fetched) for part in later)), default=None),
            extra=_extra(card, head, parts, fetched),
        )


def _complaint(card: Selector) -> str:
    """What the customer wrote at first; of nested bodies the outermost."""
    found = found_in(card, _BODY)
    return text_in(found[0]) if found else ""


def _written(card: Selector, head: str | None = None) -> str | None:
    """Its date, in an element of its own, else in what stands above the complaint."""
    date = said(card, ".bpr-complaint-date")
    if date is None:
        date = _heading(card, _complaint(card)) if head is None else head
    found = _DATE.search(date)
    return found[1] if found else None


def _heading(card: Selector, complaint: str) -> str:
    """What stands above the complaint: its date, type and status with their labels."""
    seen = text_in(card)
    return seen.split(complaint, 1)[0] if complaint else seen


def _extra(card: Selector, head: str, parts: Sequence[Part], fetched: Fetched) -> dict[str, object]:
    answers = [_answer(part, fetched) for part in parts if _is_of_firm(part) and _words(part)]
    says = _labelled(card, head, "status")
    kind = _labelled(card, head, "type")
    case = known(status=status_of(says), says=says, type=kind, answers=answers)
    return known(case=case, reply=answers[-1] if answers else None)


def status_of(says: str | None) -> str | None:
    """The status in its normal form; None for words that the bureau does not document."""
    first = (says or "").casefold().split()[:1]
    return first[0] if first and first[0] in STATUSES else None


def _labelled(card: Selector, head: str, name: str) -> str | None:
    """A value in an element of its own, where the first is not the label; else behind its label."""
    texts: Iterable[str] = map(text_in, found_in(card, f".bpr-complaint-{name} span"))
    value = next((text for text in texts if text and not text.endswith(":")), None)
    return value or labelled(head, f"(?:complaint )?{name}")


def _answer(part: Part, fetched: Fetched) -> dict[str, Any]:
    when = _when(part, fetched)
    return known(text=_words(part), published_at=when.isoformat() if when else None)


def _is_of_firm(part: Part) -> bool:
    return part.heading.casefold().startswith(_OF_FIRM)


def _words(part: Part) -> str:
    """The text without the date that stands above it."""
    found = _DATE.match(part.text)
    return part.text[found.end() :].strip() if found else part.text


def _when(part: Part, fetched: Fetched) -> Any:
    found = _DATE.match(part.text) or _DATE.search(part.heading)
    return _date(found[1] if found else None, fetched)[0]


def _date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)
