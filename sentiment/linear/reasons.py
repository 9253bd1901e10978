"""Which words raised the level: exact for a linear judge, since every n-gram has its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.types import Category, Severity
from sentiment.judge import Reason, Span
from sentiment.linear.alphabet import DROP, SPACE, TABLE_SIZE, fold_table
from sentiment.linear.model import CATEGORIES, CATEGORY_HEADS, LEVEL_HEADS, Arrays
from sentiment.linear.ngrams import Grams
from sentiment.linear.score import slots
from sentiment.linear.stream import Stream
from sentiment.quote import quote

MOST: Final = 3  #: reasons of one text
_MOST_MARKS: Final = 64  #: hidden signs that a span takes along: a text may hide a million
NOTABLE: Final = 0.3  #: of the strongest word: weaker words do not belong to a reason

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Index:
    """All n-grams of a batch by their place."""

    first: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Word:
    first: int  #: index into the stream
    last: int  #: inclusive
    weight: float


def explain(
    texts: Sequence[str],
    stream: Stream,
    families: Sequence[Grams],
    arrays: Arrays,
    levels: npt.NDArray[np.int64],
    size: Floats,
    categories: Sequence[tuple[Category, ...]],
) -> list[tuple[Reason, ...]]:
    """For each text the words that pushed it to its level, strongest first; none for level 0."""
    heads = LEVEL_HEADS.start + np.maximum(levels, 1) - 1
    words = _words(stream, _pushes(stream, families, arrays, heads, size))
    bounds = np.searchsorted(
        stream.rows[[word.first for word in words]], np.arange(stream.count + 1)
    ).tolist()
    index = _index(families)
    reasons: list[tuple[Reason, ...]] = []
    for row, level in enumerate(levels.tolist()):
        if level == Severity.NONE:
            reasons.append(())
            continue
        runs = _runs(words[bounds[row] : bounds[row + 1]])
        runs.sort(key=lambda run: -sum(word.weight for word in run))
        reasons.append(
            tuple(
                _reason(texts[row], stream, index, arrays, run, Severity(level), categories[row])
                for run in runs[:MOST]
            )
        )
    return reasons


def _pushes(
    stream: Stream,
    families: Sequence[Grams],
    arrays: Arrays,
    heads: npt.NDArray[np.int64],
    size: Floats,
) -> Floats:
    """Log-odds that each character of the stream adds to the head of its text."""
    general = arrays.general_scale[:, None] * arrays.mix
    pushes = np.zeros(len(stream.codes))
    for family in families:
        head = heads[family.rows]
        own = arrays.own[slots(family, arrays.own), head] * arrays.own_scale[head]
        learned = (arrays.general[slots(family, arrays.general)] * general.T[head]).sum(axis=1)
        spread = np.zeros(len(stream.codes))
        spread[family.first] = (own + learned) / size[family.rows] / family.order
        # Shifted copies and no running sum: texts of one batch must not touch each other.
        for step in range(min(family.order, len(spread))):
            pushes[step:] += spread[: len(spread) - step]
    return pushes


def _words(stream: Stream, pushes: Floats) -> list[_Word]:
    is_letter = stream.codes != SPACE
    edges = np.diff(is_letter.astype(np.int8), prepend=0, append=0)
    firsts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(firsts):
        return []
    # The spaces around a word carry the share of its borders; neighbours share a space.
    borders = np.stack([firsts - 1, stops + 1], axis=1).ravel()
    weights = np.add.reduceat(np.append(pushes, 0.0), borders)[::2]
    return [
        _Word(first, stop - 1, weight)
        for first, stop, weight in zip(
            firsts.tolist(), stops.tolist(), weights.tolist(), strict=True
        )
    ]


def _index(families: Sequence[Grams]) -> _Index:
    first = np.concatenate([family.first for family in families])
    order = np.argsort(first, kind="stable")
    return _Index(first[order], np.concatenate([f.hashes for f in families])[order])


def _runs(words: Sequence[_Word]) -> list[list[_Word]]:
    """Neighbouring notable words; one weak word between two of them is carried along."""
    least = max(NOTABLE * max((word.weight for word in words), default=0.0), 1e-9)
    runs: list[list[_Word]] = []
    end = -10
    for place, word in enumerate(words):
        if word.weight < least:
            continue
        if place - end <= 2 and sum(w.weight for w in words[end + 1 : place]) > -least:
            runs[-1] += words[end + 1 : place + 1]
        else:
            runs.append([word])
        end = place
    return runs


def _reason(
    text: str,
    stream: Stream,
    index: _Index,
    arrays: Arrays,
    run: Sequence[_Word],
    level: Severity,
    categories: Sequence[Category],
) -> Reason:
    first, last = run[0].first, run[-1].last
    start = int(stream.offsets[first])
    end = _with_marks(text, int(stream.offsets[last]) + 1)
    category = _category(index, arrays, first, last, categories)
    subject = str(category).replace("_", " ") if category else level.label
    return Reason(
        because=f'{subject}: "{quote(text[start:end])}"',
        category=category,
        spans=(Span(start=start, end=end),),
        weight=round(sum(word.weight for word in run), 4),
    )


def _category(
    index: _Index,
    arrays: Arrays,
    first: int,
    last: int,
    categories: Sequence[Category],
) -> Category | None:
    """Of the text's categories the one that these words speak for most, if they do at all."""
    if not categories:
        return None
    heads = [CATEGORY_HEADS.start + CATEGORIES.index(category) for category in categories]
    low, high = np.searchsorted(index.first, [first - 1, last + 1])
    at = index.hashes[low:high] & np.uint32(len(arrays.own) - 1)
    total = arrays.own[at].sum(axis=0, dtype=np.int32)[heads] * arrays.own_scale[heads]
    best = int(total.argmax())
    return categories[best] if total[best] > 0 else None


def _with_marks(text: str, end: int) -> int:
    """Take along what folding dropped behind the last letter: accents, joiners, apostrophes."""
    table = fold_table()
    most = min(len(text), end + _MOST_MARKS)
    while end < most and table[min(ord(text[end]), TABLE_SIZE - 1)] == DROP:
        end += 1
    return end
