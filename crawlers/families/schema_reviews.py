"""Reviews among the things that a page describes by schema.org."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crawlers.families.review_draft import Draft
from crawlers.reading.json_body import known, name_of, words
from crawlers.reading.markup import text_of, tidy
from crawlers.reading.numbers import whole_number
from crawlers.reading.structured import Described, Thing, walk
from crawlers.reading.web_address import joined

# Not ClaimReview (a check of facts) and not MediaReview: nobody's opinion of a firm.
_TYPES = frozenset({"Review", "UserReview", "CriticReview", "EmployerReview", "Recommendation"})
_UNDER = frozenset({"review", "reviews"})
_FIRMS = re.compile(r"Organization|Corporation|Business|Store|Brand|Restaurant|Hotel")
_BEST = 5.0  # what schema.org means where a rating does not say
_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?")
_OUT_OF = re.compile(rf"({_NUMBER.pattern})\s*(?:/|of|out of)\s*({_NUMBER.pattern})")
_NUMBERED = re.compile(r"\d{4}|[0-9a-f]{8}")  # as databases number, and no list of a page does
_TAG = re.compile(r"</?[A-Za-z]")
#: So many are read of one telling of a page, and one more.
MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What a page says of all ratings together."""

    rating: float | None
    rating_scale: float | None
    count: int | None

    @property
    def as_extra(self) -> dict[str, object]:
        """Without what it does not say."""
        return known(rating=self.rating, rating_scale=self.rating_scale, count=self.count)


def reviews_of(described: Described, *, url: str) -> list[Draft]:
    """The reviews that one syntax describes, each once, in the order of the page."""
    owners = _owners(described)
    found: dict[int, Draft] = {}
    for thing, owner, name in walk(described.things):
        if len(found) <= MOST and id(thing) not in found and _is_review(thing, name):
            item = _first(described, thing, "itemReviewed") or owner or owners.get(id(thing))
            found[id(thing)] = _draft(described, thing, item, url)
    return list(found.values())


def rated_in(described: Described) -> list[Rated]:
    """Every AggregateRating of a page."""
    things = (thing for thing, _, _ in walk(described.things))
    return [_rated(thing) for thing in things if "AggregateRating" in thing.get("@type", ())]


def _owners(described: Described) -> dict[int, Thing]:
    """Whose reviews those are that stand elsewhere and are only referred to."""
    pairs = (
        (described.followed(value), thing)
        for thing, _, _ in walk(described.things)
        for name in _UNDER
        for value in thing.get(name, ())
    )
    return {id(review): thing for review, thing in pairs}


def _is_review(thing: Thing, name: str) -> bool:
    types = thing.get("@type", ())
    says = "reviewBody" in thing or "reviewRating" in thing
    return bool(_TYPES.intersection(types)) or (not types and name in _UNDER and says)


def _draft(described: Described, thing: Thing, item: Thing | None, url: str) -> Draft:
    author = _first(described, thing, "author", "creator")
    rating, scale = _stars(_first(described, thing, "reviewRating", "ratingValue"))
    link = _said(thing, "url")
    totals = _first(described, item or {}, "aggregateRating")
    return Draft(
        name=_name(thing, url),
        text=_plain(_said(thing, "reviewBody", "description", "text")),
        title=words(_plain(_said(thing, "name", "headline"))),
        author=_called(author),
        author_id=_id_of(author),
        published=_said(thing, "datePublished", "dateCreated"),
        edited=_said(thing, "dateModified"),
        rating=rating,
        rating_scale=scale,
        url=joined(url, link),
        language=_said(thing, "inLanguage"),
        extra=known(
            item=_called(item),
            total=_rated(totals).as_extra if isinstance(totals, dict) else None,
            reply=_reply(described, thing, item),
        ),
    )


def _first(described: Described, thing: Thing, *names: str) -> Any:
    values = (value for name in names for value in thing.get(name, ()))
    return described.followed(next(values, None))


def _said(thing: Thing, *names: str) -> str | None:
    """The first of these that is a text; a number is one too."""
    values = (value for name in names for value in thing.get(name, ()))
    return next((said for value in values if (said := name_of(value))), None)


def _name(thing: Thing, url: str) -> str | None:
    """Its ``@id``, else an identifier, else a link of its own."""
    named = _lasting(words(thing.get("@id")), url) or _said(thing, "identifier")
    return named or _lasting(joined(url, _said(thing, "url")), url)


def _lasting(name: str | None, url: str) -> str | None:
    """A name, unless it means the page, or a place on it, such as "#review-2", that moves."""
    base, _, fragment = (name or "").partition("#")
    page = url.partition("#")[0].partition("?")[0]
    if base and base.partition("?")[0] != page:
        return name
    return f"{page}#{fragment}" if _NUMBERED.search(fragment) else None


def _plain(text: str | None) -> str:
    """Text of a reader: line breaks count, except in HTML."""
    return text_of(text) if text and _TAG.search(text) else tidy(html.unescape(text or ""))


def _called(value: Any) -> str | None:
    if isinstance(value, dict):
        given = " ".join(filter(None, (_said(value, "givenName"), _said(value, "familyName"))))
        value = _said(value, "name", "alternateName") or given
    return words(tidy(text_of(value))) if isinstance(value, str) else None


def _id_of(author: Any) -> str | None:
    return (words(author.get("@id")) or _said(author, "url")) if isinstance(author, dict) else None


def _stars(value: Any) -> tuple[float | None, float | None]:
    """A rating and the best possible one; neither, where it does not fit its scale."""
    thing = value if isinstance(value, dict) else {"ratingValue": [value]}
    rating, best = (_any_number(thing, name) for name in ("ratingValue", "bestRating"))
    if rating is None and (both := _OUT_OF.fullmatch((_said(thing, "ratingValue") or "").strip())):
        rating, best = _float(both[1]), _float(both[2])
    best = _BEST if best is None else best
    return (rating, best) if rating is not None and 0 <= rating <= best else (None, None)


def _any_number(thing: Thing, name: str) -> float | None:
    found = (_float(value) for value in thing.get(name, ()))
    return next((number for number in found if number is not None), None)


def _float(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e6 else None
    digits = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(digits[0].replace(",", ".")) if digits else None


def _rated(thing: Thing) -> Rated:
    rating, scale = _stars(dict(thing))
    counts = (whole_number(_said(thing, name)) for name in ("reviewCount", "ratingCount"))
    count = next((one for one in counts if one is not None), None)
    return Rated(rating=rating, rating_scale=scale, count=count)


def _reply(described: Described, review: Thing, item: Thing | None) -> dict[str, object]:
    """A comment by a firm, or by what was reviewed; other readers' comments are no answer."""
    for comment in _followed(described, review, "comment"):
        author = _first(described, comment, "author", "creator")
        types = " ".join(author.get("@type", ())) if isinstance(author, dict) else ""
        is_firm = _FIRMS.search(types) or (_called(author) and _called(author) == _called(item))
        text = _plain(_said(comment, "text", "description"))
        if is_firm and text:
            published = _said(comment, "datePublished", "dateCreated")
            return known(text=text, published_at=published, author=_called(author))
    return {}


def _followed(described: Described, thing: Thing, name: str) -> Iterator[Thing]:
    values: Sequence[Any] = thing.get(name, ())
    return (one for one in map(described.followed, values) if isinstance(one, dict))
