"""A text in pieces that a person would quote: sentences, clauses, runs of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LONGEST: Final = 6  #: words of a phrase; a longer clause is divided evenly
SHORTEST: Final = 2  #: words; a shorter one joins its neighbour
MOST: Final = 40  #: phrases of one text; with more, phrases grow longer
#: Characters: scripts without spaces write whole sentences as one "word".
LONG_WORD: Final = 24

_WORD: Final = re.compile(rf"\S{{1,{LONG_WORD}}}")
_ENDS_CLAUSE: Final = re.compile(r"[.!?…:;,)\]}。！？、，；।؟،\"”»]$")
_DASHES: Final = frozenset({"-", "–", "—", "|", "/", "•", "*"})


@dataclass(frozen=True, slots=True)
class Word:
    """Characters ``start`` to ``end`` of a text, outer punctuation left out."""

    start: int
    end: int
    ends_clause: bool


@dataclass(frozen=True, slots=True, order=True)
class Phrase:
    """Words ``first`` to ``last`` of a text, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def words_of(text: str) -> list[Word]:
    """The words in order; a run of signs or emoji alone is one as well, bare commas are not."""
    words: list[Word] = []
    for found in _WORD.finditer(text):
        part = found.group()
        start, end = _bare(part)
        ends = part in _DASHES or bool(_ENDS_CLAUSE.search(part))
        ends = ends or "\n" in text[found.end() : found.end() + 2]
        if start < end:
            words.append(Word(found.start() + start, found.start() + end, ends))
        elif words and ends:
            words[-1] = Word(words[-1].start, words[-1].end, True)
    return words


def phrases_of(words: Sequence[Word]) -> list[Phrase]:
    """The whole text as phrases in order, none overlapping."""
    longest = max(LONGEST, -(-len(words) // MOST))
    phrases: list[Phrase] = []
    for clause in _clauses(words):
        count = -(-len(clause) // longest)
        bounds = [clause.first + len(clause) * i // count for i in range(count + 1)]
        phrases += [Phrase(a, b - 1) for a, b in pairwise(bounds)]
    return phrases


def _clauses(words: Sequence[Word]) -> list[Phrase]:
    clauses: list[Phrase] = []
    first = 0
    for place, word in enumerate(words):
        is_last = place == len(words) - 1
        if is_last or (word.ends_clause and place - first + 1 >= SHORTEST):
            clauses.append(Phrase(first, place))
            first = place + 1
    if len(clauses) > 1 and len(clauses[-1]) < SHORTEST:
        last = clauses.pop()
        clauses[-1] = Phrase(clauses[-1].first, last.last)
    return clauses


def _bare(part: str) -> tuple[int, int]:
    """Where the word is in what stands between two spaces."""
    letters = [place for place, char in enumerate(part) if _is_word(char)]
    return (letters[0], letters[-1] + 1) if letters else (0, 0)


def _is_word(char: str) -> bool:
    return char.isalnum() or not (char.isascii() or char in "…–—„“”«»‘’।؟،。！？、，；•·")
