"""Figures of a classifier, from what is true and what was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

Matrix = tuple[tuple[int, ...], ...]  #: rows: the truth, columns: what was given
Flags = npt.NDArray[np.bool_]

Z95 = 1.959963984540054  #: standard deviations that hold 95 % of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``hits`` of ``total``, and where the true share lies with 95 % confidence."""

    hits: int
    total: int
    value: float  #: 0 when there was nothing to hit
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """One label against all others."""

    precision: float
    recall: float
    f1: float
    count: int  #: how often it is true


def share(hits: int, total: int) -> Share:
    """A share with its Wilson score interval (Wilson 1927), which holds for few cases as well."""
    if total <= 0:
        return Share(hits=0, total=0, value=0.0, low=0.0, high=1.0)
    p = hits / total
    middle = (p + Z95**2 / (2 * total)) / (1 + Z95**2 / total)
    reach = Z95 / (1 + Z95**2 / total) * sqrt(p * (1 - p) / total + Z95**2 / (4 * total**2))
    # Rounding must not push an end past the share itself.
    low, high = max(0.0, min(p, middle - reach)), min(1.0, max(p, middle + reach))
    return Share(hits=hits, total=total, value=p, low=low, high=high)


def confusion(truth: Sequence[object], given: Sequence[object], labels: Sequence[object]) -> Matrix:
    """How often each label was given for each true one; every value must be among the labels."""
    place = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    for true, said in zip(truth, given, strict=True):
        counts[place[true], place[said]] += 1
    return tuple(tuple(row) for row in counts.tolist())


def class_scores(matrix: Matrix) -> list[ClassScore]:
    """Precision, recall and F1 of each label, in order; 0 where nothing was given or true."""
    counts = np.array(matrix, dtype=float)
    hits, true, given = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    return [
        ClassScore(
            precision=_ratio(h, g), recall=_ratio(h, t), f1=_ratio(2 * h, t + g), count=int(t)
        )
        for h, t, g in zip(hits.tolist(), true.tolist(), given.tolist(), strict=True)
    ]


def accuracy(matrix: Matrix) -> float:
    """Share of right answers; 0 for no answers."""
    counts = np.array(matrix, dtype=float)
    return _ratio(float(counts.trace()), float(counts.sum()))


def macro_of(matrix: Matrix) -> float:
    """Mean F1 over the labels that are true at least once."""
    scores = [score.f1 for score in class_scores(matrix) if score.count]
    return float(np.mean(scores)) if scores else 0.0


def macro_f1(truth: Sequence[object], given: Sequence[object], labels: Sequence[object]) -> float:
    """Mean F1 over the labels that are true at least once."""
    return macro_of(confusion(truth, given, labels))


def micro_f1(truth: Flags, given: Flags) -> float:
    """F1 over all decisions of (texts x labels) at once."""
    return _ratio(2.0 * int((truth & given).sum()), float(int(truth.sum()) + int(given.sum())))


def label_scores(truth: Flags, given: Flags) -> list[ClassScore]:
    """Each column of (texts x labels) as a question of its own."""
    hits, true, said = (truth & given).sum(axis=0), truth.sum(axis=0), given.sum(axis=0)
    return [
        ClassScore(precision=_ratio(h, s), recall=_ratio(h, t), f1=_ratio(2 * h, t + s), count=t)
        for h, t, s in zip(hits.tolist(), true.tolist(), said.tolist(), strict=True)
    ]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
