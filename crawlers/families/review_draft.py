"""A review as far as one part of a page tells it, and how two tellings of one become one."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from core.fold import fold

_SIGNS = re.compile(r"[^\w]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Two texts of this many signs that begin alike are one text, cut off in one place.
_TELLING = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is said of one review; texts are plain, dates are as written."""

    name: str | None = None  #: the id that the site gives it
    text: str = ""
    title: str | None = None
    author: str | None = None
    author_id: str | None = None
    published: str | None = None
    edited: str | None = None
    rating: float | None = None
    rating_scale: float | None = None
    url: str | None = None
    language: str | None = None
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        """Whether there is more than stars."""
        return bool(self.text or self.title)


def merged(first: Sequence[Draft], second: Sequence[Draft]) -> list[Draft]:
    """All reviews of both; one that is in both is filled up from the second."""
    if _is_told_by_place(first, second):
        return [_filled(one, other) for one, other in zip(first, second, strict=True)]
    found, rest = list(first), []
    places: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        places.setdefault(_key(one)[:_TELLING], []).append(place)
    for other in second:
        same = _same(other, found, places.get(_key(other)[:_TELLING], []))
        if same is None:
            rest.append(other)
        else:
            found[same] = _filled(found[same], other)
            places[_key(other)[:_TELLING]].remove(same)
    return found + rest


def _is_told_by_place(first: Sequence[Draft], second: Sequence[Draft]) -> bool:
    """Whether one of both lacks the texts, so that only the order can tell which is which."""
    if len(first) != len(second):
        return False
    pairs = list(zip(first, second, strict=True))
    return not any((one.text and other.text) or _conflict(one, other) for one, other in pairs)


def _same(other: Draft, found: Sequence[Draft], places: Iterable[int]) -> int | None:
    return next((place for place in places if _is_same(found[place], other)), None)


def _is_same(one: Draft, other: Draft) -> bool:
    if _conflict(one, other) or not one.says_something:
        return False
    shorter, longer = sorted((_key(one), _key(other)), key=len)
    return shorter == longer or (len(shorter) >= _TELLING and longer.startswith(shorter))


def _conflict(one: Draft, other: Draft) -> bool:
    """Two authors, or two ratings."""
    authors, rates = {_plain(one.author), _plain(other.author)}, [_share(one), _share(other)]
    is_rated_alike = None in rates or abs((rates[0] or 0) - (rates[1] or 0)) < 0.001
    return ("" not in authors and len(authors) > 1) or not is_rated_alike


def _share(draft: Draft) -> float | None:
    if draft.rating is None or not draft.rating_scale:
        return None
    return draft.rating / draft.rating_scale


def _filled(one: Draft, other: Draft) -> Draft:
    """The first, with the longer text and with what only the second says."""
    lacking = {
        part.name: getattr(other, part.name)
        for part in fields(Draft)
        if getattr(one, part.name) in (None, "") and part.name not in ("rating", "rating_scale")
    }
    if one.rating is None:
        lacking |= {"rating": other.rating, "rating_scale": other.rating_scale}
    text = max(one.text, other.text, key=len)
    return replace(one, **{**lacking, "text": text, "extra": {**other.extra, **one.extra}})


def _key(draft: Draft) -> str:
    return _plain(draft.text or draft.title)


def _plain(text: str | None) -> str:
    return _SIGNS.sub("", fold(text or ""))


def with_ids(drafts: Sequence[Draft]) -> list[tuple[str, Draft]]:
    """Each with an id: the site's own, where it names one review only, else one of what it says.

    Without an id of the site an edited review looks like another one. One told twice is one.
    """
    times = Counter(name for name, _ in {(draft.name, _hash(draft)) for draft in drafts})
    found: dict[str, Draft] = {}
    for draft in drafts:
        is_named = draft.name is not None and times[draft.name] == 1
        found.setdefault(draft.name if is_named and draft.name else _hash(draft), draft)
    return list(found.items())


def _hash(draft: Draft) -> str:
    # Only a date for machines: "2 days ago" reads otherwise tomorrow, and is "Mar 3" in a month.
    day = _DAY.match(draft.published or "")
    parts = (draft.author, day[0] if day else None, draft.title, draft.text)
    said = "\x1f".join(_plain(part) for part in parts)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
