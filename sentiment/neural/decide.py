"""From logits to probabilities that mean what they say, and from them to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.types import Category, Sentiment, Severity
from sentiment.neural.about import About
from sentiment.neural.belief import LEAST, Belief
from sentiment.neural.encoder import Logits

Floats = npt.NDArray[np.float64]

#: What is said of a text of which nothing could be read: nothing speaks for a complaint.
SILENT: Final = np.array([0.80, 0.12, 0.05, 0.02, 0.01])
#: … and nothing for any tone; neutral only where a label must be given.
TONELESS: Final = np.array([0.331, 0.338, 0.331])


@dataclass(frozen=True, slots=True)
class Opinion:
    """Of one text."""

    sentiment: Floats  #: probabilities in the order of ``Sentiment``
    severity: Floats  #: probabilities in the order of ``Severity``
    category: Floats  #: of each on its own, in the order of ``Category``
    level: Severity
    categories: tuple[Category, ...]  #: most probable first

    def at_least(self, level: Severity) -> float:
        """Probability of that level and above."""
        return float(self.severity[level:].sum())


def decide(logits: Logits, beliefs: Sequence[Belief], about: About) -> list[Opinion]:
    """One opinion a row."""
    for_sentiment, for_severity = (
        np.array([[getattr(one, kind)] for one in beliefs]).reshape(-1, 1)
        for kind in ("sentiment", "severity")
    )
    order = [about.sentiments.index(sentiment) for sentiment in Sentiment]
    sentiment = np.exp(_log_softmax(logits.sentiment / about.sentiment_temperature))[:, order]
    sentiment = for_sentiment * sentiment + (1 - for_sentiment) * TONELESS
    heard = np.hstack([_log_softmax(logits.severity), _log_softmax(logits.sentiment)])
    # Not a matrix product: its last bits differ with the number of rows.
    blended = np.einsum("ij,jk->ik", heard, np.array(about.severity_blend)) + about.severity_shift
    severity = np.exp(_log_softmax(blended))
    severity = for_severity * severity + (1 - for_severity) * SILENT
    slope, shift = np.array(about.category_platt).T
    order = [about.categories.index(category) for category in Category]
    category = for_severity * _sigmoid(logits.category * slope + shift)[:, order]
    threshold = np.array(about.category_threshold)[order]
    return [
        _opinion(sentiment[row], severity[row], category[row], threshold, one, about)
        for row, one in enumerate(beliefs)
    ]


def _opinion(
    sentiment: Floats, severity: Floats, category: Floats, threshold: Floats,
    belief: Belief, about: About,
) -> Opinion:  # fmt: skip
    level = _level(severity, about) if belief.severity >= LEAST else Severity.NONE
    return Opinion(sentiment, severity, category, level, _categories(category, threshold, level))


def _level(severity: Floats, about: About) -> Severity:
    """Critical where its threshold is reached, else the most probable of the others."""
    least = max(about.critical_at_least, about.critical_beside_none * severity[Severity.NONE])
    if severity[Severity.CRITICAL] >= least:
        return Severity.CRITICAL
    return Severity(int(severity[: Severity.CRITICAL].argmax()))


def _categories(category: Floats, threshold: Floats, level: Severity) -> tuple[Category, ...]:
    """Those above their threshold; a complaint has at least one, a harmless text none."""
    if level is Severity.NONE:
        return ()
    likely = sorted(zip((-category).tolist(), Category, threshold.tolist(), strict=True))
    found = tuple(one for p, one, least in likely if -p >= least)
    return found or (likely[0][1],)


def _log_softmax(logits: Floats) -> Floats:
    below = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))
