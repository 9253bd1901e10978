"""Numbers of the linear judge: sums over a text's n-grams, probabilities, the decided level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sentiment.linear.model import CATEGORY_HEADS, LEVEL_HEADS, SENTIMENT_HEADS, Arrays
from sentiment.linear.ngrams import Grams

Floats = npt.NDArray[np.float64]

#: A text with this many n-grams is believed by half; a single word says little.
HALF_BELIEVED: Final = 12


@dataclass(frozen=True, slots=True)
class Scores:
    """One row a text."""

    sentiment: Floats  #: probabilities of the three sentiments
    severity: Floats  #: probabilities of the five levels
    category: Floats  #: probability of each category on its own
    level: npt.NDArray[np.int64]  #: the level with the least expected cost
    size: Floats  #: square root of the number of n-grams, at least 1


def score(families: Sequence[Grams], count: int, arrays: Arrays) -> Scores:
    """Judge ``count`` texts; whole numbers are summed, so a batch cannot change a result."""
    found = np.zeros(count, dtype=np.int64)
    for family in families:
        found += np.bincount(family.rows, minlength=count)
    size = np.sqrt(np.maximum(found, 1))
    logits = _logits(families, count, arrays, size)
    belief = (found / (found + HALF_BELIEVED))[:, None]
    sentiment = belief * _softmax(logits[:, SENTIMENT_HEADS]) + (1 - belief) / 3
    severity = belief * _levels(_sigmoid(logits[:, LEVEL_HEADS])) + (1 - belief) * arrays.prior
    category = belief * _sigmoid(logits[:, CATEGORY_HEADS])
    level = (severity[:, :, None] * arrays.cost).sum(axis=1).argmin(axis=1).astype(np.int64)
    return Scores(sentiment, severity, category, level, size)


def _logits(families: Sequence[Grams], count: int, arrays: Arrays, size: Floats) -> Floats:
    logits = _sums(arrays.own, families, count) * arrays.own_scale / size[:, None] + arrays.bias
    # One column after the other: a matrix product rounds differently in batches of other sizes.
    for column, pull in zip(_general(families, count, arrays, size).T, arrays.mix, strict=True):
        logits = logits + column[:, None] * pull
    return np.asarray(logits)


def _general(families: Sequence[Grams], count: int, arrays: Arrays, size: Floats) -> Floats:
    """Sentiment as the public data sets have it, standardised."""
    sums = _sums(arrays.general, families, count)
    return np.asarray(sums * arrays.general_scale / size[:, None] + arrays.general_bias)


def slots(family: Grams, table: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Row of the table for each n-gram; its length is a power of two."""
    return (family.hashes & np.uint32(len(table) - 1)).astype(np.int64)


def _sums(
    table: npt.NDArray[np.int8], families: Sequence[Grams], count: int
) -> npt.NDArray[np.int64]:
    total = np.zeros((count, table.shape[1]), dtype=np.int64)
    for family in families:
        if len(family.rows):
            starts = np.flatnonzero(np.diff(family.rows, prepend=-1))
            values = table.take(slots(family, table), axis=0)
            total[family.rows[starts]] += np.add.reduceat(values, starts, axis=0, dtype=np.int32)
    return total


def _levels(at_least: Floats) -> Floats:
    """Probabilities of levels from those of "at least"; a higher level is never likelier."""
    falling = np.minimum.accumulate(at_least, axis=1)
    bounds = np.pad(falling, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    return np.asarray(bounds[:, :-1] - bounds[:, 1:])


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
