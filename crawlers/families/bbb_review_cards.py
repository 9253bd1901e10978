"""Cards of customer reviews on bbb.org, read into the shape of the site's own JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping

from parsel import Selector

from crawlers.families.card_parts import Part, split
from crawlers.families.cards import said
from crawlers.reading.json_body import Json, words
from crawlers.reading.markup import text_in
from crawlers.reading.numbers import whole_number

CARDS = "li.bpr-review"
_ANSWER = re.compile(r"(business|customer)\s+(?:response|answer|rebuttal)", re.I)
_DATE = re.compile(r"(?:date:?\s*)?(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\s*", re.I)
_FROM = re.compile(r"review from\s+", re.I)
_STARS = re.compile(r"([0-5])\s*stars?\b", re.I)


def as_json(card: Selector, *, url: str) -> Mapping[str, Json]:
    """One card as an item of the JSON; what the page does not show is missing."""
    rest, parts = split(card, titled=_ANSWER, url=url)
    title = said(rest, ".bpr-review-title, h3")
    date = said(rest, "p.bds-body, [class*=review-date]")
    stars = _STARS.search(text_in(rest))
    return {
        "id": words(card.attrib.get("id")),
        "displayName": words(_FROM.sub("", title or "")),
        "reviewStarRating": whole_number(stars[1]) if stars else None,
        "date": _date(date or ""),
        "text": _text(rest),
        "extendedText": [_later(part) for part in parts],
    }


def _text(card: Selector) -> str | None:
    """The customer's words: the last division of the card that is not the stars."""
    own = card.css("[data-body], [class*=review-body], [class*=review-text]")
    texts = [text_in(one) for one in own or card.xpath("./div")]
    spoken = [text for text in texts if text and not _STARS.fullmatch(text)]
    return spoken[0] if spoken else None


def _later(part: Part) -> Mapping[str, Json]:
    found = _DATE.match(part.text)
    return {
        "isBusiness": part.heading.casefold().startswith("business"),
        "text": part.text[found.end() :] if found else part.text,
        "date": _date(part.text) if found else None,
    }


def _date(text: str) -> Mapping[str, str] | None:
    found = _DATE.search(text)
    return found.groupdict() if found else None
