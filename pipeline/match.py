"""Which brands is a post about? One pass over the folded text for all brands together.

A post's own address counts too, because the page of a review often names the firm that the
review leaves out, and so does ``extra["about"]``, where a spider tells whose page it read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Any

import ahocorasick
import structlog

from core.fold import fold
from pipeline.errors import QueryError
from pipeline.inflection import bendable
from pipeline.query import AllOf, AnyOf, Expression, Literal, Near, Negation, literals, read_query
from pipeline.query import check_query as check_query

log = structlog.get_logger()

#: Folding takes about a second for three million characters; nobody reads on after so many.
LONGEST_MATCHED = 1_000_000
_MOST_WORDS = 10
_WHOLE = frozenset({""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A brand as the matcher needs it."""

    id: int
    workspace_id: int
    name: str
    aliases: tuple[str, ...] = ()
    query: str | None = None  #: decides instead of name and aliases
    excluded: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A post is about a brand, because of these words (as folded)."""

    brand: Watched
    words: tuple[str, ...]


class _Edge(Enum):
    """What may stand beside a term."""

    WORD = auto()
    DOMAIN = auto()
    HANDLE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    key: str
    tails: frozenset[str] | None = _WHOLE  #: how the word may go on; None: in any way
    edge: _Edge = _Edge.WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """The terms of one brand."""

    named: tuple[_Term, ...]  #: one of these is enough
    query: Expression | None
    excluded: tuple[_Term, ...]

    def all(self) -> Iterator[_Term]:
        yield from self.named
        yield from self.excluded
        if self.query is not None:
            yield from (_of_literal(one) for one in literals(self.query))


@dataclass(slots=True)
class _Found:
    """Where terms stand in one text; places count words, for NEAR."""

    text: str
    spans: dict[_Term, list[tuple[int, int]]] = field(default_factory=dict)
    starts: list[int] | None = None

    def place(self, position: int) -> int:
        if self.starts is None:
            self.starts = list(_word_starts(self.text))
        return bisect_right(self.starts, position)


class Matcher:
    """Finds the brands of a text; compiled once for a set of brands, safe to share by threads."""

    def __init__(self, brands: Sequence[Watched]) -> None:
        self._terms = {brand: _terms(brand) for brand in brands}
        self._brands_of: dict[_Term, list[Watched]] = {}
        by_key: dict[str, list[_Term]] = {}
        for brand, terms in self._terms.items():
            for term in dict.fromkeys(terms.all()):
                if term not in self._brands_of:
                    by_key.setdefault(term.key, []).append(term)
                self._brands_of.setdefault(term, []).append(brand)
        self._automaton: Any = ahocorasick.Automaton()
        for key, terms_of_key in by_key.items():
            self._automaton.add_word(key, tuple(terms_of_key))
        if by_key:
            self._automaton.make_automaton()
        self._is_empty = not by_key

    def __call__(self, *texts: str) -> list[Match]:
        """The brands that the texts, read as one, are about; in the order of the brands."""
        if self._is_empty:
            return []
        found = self._scan("\n".join(" ".join(fold(one).split()) for one in _capped(texts)))
        touched = {brand for term in found.spans for brand in self._brands_of[term]}
        matches = (self._match(brand, found) for brand in self._terms if brand in touched)
        return [one for one in matches if one is not None]

    def _scan(self, text: str) -> _Found:
        found = _Found(text=text)
        for last, terms in self._automaton.iter(text):
            for term in terms:
                end = _end_of(term, text, start=last + 1 - len(term.key), after=last + 1)
                if end is not None:
                    found.spans.setdefault(term, []).append((last + 1 - len(term.key), end))
        return found

    def _match(self, brand: Watched, found: _Found) -> Match | None:
        terms = self._terms[brand]
        if any(term in found.spans for term in terms.excluded):
            return None
        hits = [term for term in terms.named if term in found.spans]
        if terms.query is not None and _holds(terms.query, found):
            wanted = (_of_literal(one) for one in literals(terms.query))
            hits += [term for term in wanted if term in found.spans]
        return Match(brand=brand, words=_words(hits, found)) if hits else None


@lru_cache(maxsize=4)
def matcher(brands: tuple[Watched, ...]) -> Matcher:
    """The compiled matcher of a set of brands, kept while the set stays the same."""
    return Matcher(brands)


def about(extra: Mapping[str, object]) -> Iterator[str]:
    """Whom a spider says that a post's page is about: ``extra["about"]``, a word or a list."""
    told = extra.get("about")
    for one in told if isinstance(told, list | tuple) else (told,):
        if isinstance(one, str):
            yield one


def _capped(texts: Iterable[str]) -> Iterator[str]:
    left = LONGEST_MATCHED
    for one in texts:
        yield one[:left]
        left -= min(left, len(one))


def _terms(brand: Watched) -> _Terms:
    query = _query(brand)
    names = () if query is not None else (brand.name, *brand.aliases)
    return _Terms(
        named=(
            *_each(names, _of_name),
            *_each(brand.domains, _of_domain),
            *_each(brand.handles, _of_handle),
        ),
        query=query,
        excluded=tuple(_each(brand.excluded, _of_word)),
    )


def _query(brand: Watched) -> Expression | None:
    if not brand.query or not brand.query.strip():
        return None
    try:
        return read_query(brand.query)
    except QueryError as error:
        # Stored before a rule of the language changed: the brand is still heard by its name.
        log.warning("brand_query_unreadable", brand_id=brand.id, reason=str(error))
        return None


def _each(given: Iterable[str], make: Any) -> Iterator[_Term]:
    for one in given:
        key = " ".join(fold(one).split())
        if any(sign.isalnum() for sign in key):
            yield make(key)


def _of_name(key: str) -> _Term:
    stem, tails = bendable(key)
    return _Term(key=stem, tails=tails)


def _of_word(key: str) -> _Term:
    return _Term(key=key)


def _of_domain(key: str) -> _Term:
    host = key.split("://", 1)[-1].split("/", 1)[0].removeprefix("www.").strip(".")
    return _Term(key=host or key, edge=_Edge.DOMAIN)


def _of_handle(key: str) -> _Term:
    return _Term(key="@" + key.lstrip("@"), edge=_Edge.HANDLE)


def _of_literal(one: Literal) -> _Term:
    return _Term(key=one.key, tails=None if one.is_prefix else _WHOLE)


def _end_of(term: _Term, text: str, *, start: int, after: int) -> int | None:
    """Where the term's word ends when it stands there by itself; None when it does not."""
    before = text[start - 1] if start else " "
    if _is_joined(before, text[start]) or (term.edge is _Edge.DOMAIN and before == "-"):
        return None
    end = after
    while end < len(text) and _is_joined(text[end - 1], text[end]):
        end += 1
        if term.tails is not None and end - after > 8:  # longer than any ending
            return None
    if term.tails is not None and text[after:end] not in term.tails:
        return None
    return None if _goes_on(term.edge, text[end : end + 2]) else end


def _goes_on(edge: _Edge, following: str) -> bool:
    first, second = following[:1], following[1:2]
    if edge is _Edge.DOMAIN:  # voltano.example.org, voltano.example-shop.org
        return first == "-" or (first == "." and second.isalnum())
    return edge is _Edge.HANDLE and first == "_"


def _is_joined(left: str, right: str) -> bool:
    """Whether two neighbours belong to one word; scripts without spaces have no such words."""
    return left.isalnum() and right.isalnum() and not (_is_unspaced(left) or _is_unspaced(right))


def _is_unspaced(sign: str) -> bool:
    code = ord(sign)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul: particles are written onto the word
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def _word_starts(text: str) -> Iterator[int]:
    is_inside = False
    for position, sign in enumerate(text):
        if sign.isalnum() and not is_inside:
            yield position
        is_inside = sign.isalnum()


def _holds(expression: Expression, found: _Found) -> bool:
    match expression:
        case Literal():
            return _of_literal(expression) in found.spans
        case Near():
            return _is_near(expression, found)
        case AllOf(parts=parts):
            return all(_holds(part, found) for part in parts)
        case AnyOf(parts=parts):
            return any(_holds(part, found) for part in parts)
        case Negation(part=part):
            return not _holds(part, found)


def _is_near(near: Near, found: _Found) -> bool:
    """Slide over all places of the words; true when one stretch holds every word."""
    spans = [found.spans.get(_of_literal(word)) for word in near.words]
    if not all(spans):
        return False
    widest = near.distance + len(near.words)
    places = sorted(
        (found.place(start), number) for number, one in enumerate(spans) for start, _ in one or ()
    )
    seen: dict[int, int] = {}
    for place, number in places:
        seen[number] = place
        if len(seen) == len(near.words) and place - min(seen.values()) < widest:
            return True
    return False


def _words(hits: Iterable[_Term], found: _Found) -> tuple[str, ...]:
    spans = sorted({found.spans[term][0] for term in hits})
    words = dict.fromkeys(found.text[start:end] for start, end in spans)
    return tuple(words)[:_MOST_WORDS]
