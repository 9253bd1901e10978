"""Scores become probabilities, and costs become the decision.

Everything here is fitted on predictions for posts that the scoring fit had not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from sentiment.linear.model import CATEGORIES, CATEGORY_HEADS, HEADS, LEVEL_HEADS, SENTIMENT_HEADS

Floats = npt.NDArray[np.float64]

#: Levels as a brand's mentions are expected to have them; our posts hold far more grave ones.
MIX = np.array([0.45, 0.15, 0.23, 0.10, 0.07])
#: What is said of a text without a word in it: nothing speaks for a complaint.
SILENT = np.array([0.80, 0.12, 0.05, 0.02, 0.01])
#: Rows: the true level, columns: the level given. An injury that nobody hears of is the worst
#: that can happen; a needless alarm costs a look.
COST = np.array(
    [
        [0.0, 0.8, 1.8, 4.2, 4.4],
        [0.25, 0.0, 0.7, 3.0, 3.2],
        [1.1, 0.7, 0.0, 1.8, 2.0],
        [11.0, 9.5, 7.0, 0.0, 0.8],
        [22.0, 19.0, 14.5, 2.5, 0.0],
    ]
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """``probability = sigmoid(logits @ blend + shift)``, and where to cut categories.

    A level listens to all levels and sentiments: "at least low" knows praise only through
    "positive". It stays linear, so it is folded into the weights of the model.
    """

    blend: Floats  #: HEADS x HEADS
    shift: Floats
    category_threshold: Floats


def calibrate(logits: Floats, targets: Floats) -> Calibration:
    """From raw logits of unseen posts and what they should have been."""
    blend, shift = np.eye(HEADS), np.zeros(HEADS)
    levels = targets[:, LEVEL_HEADS].sum(axis=1).astype(int)
    shares = np.bincount(levels, minlength=len(MIX)) / len(levels)
    by_level = (MIX / np.maximum(shares, 1e-9))[levels]
    heard = slice(0, LEVEL_HEADS.stop)
    for head in range(LEVEL_HEADS.start, LEVEL_HEADS.stop):
        blend[:, head] = 0
        blend[heard, head], shift[head] = _platt(logits[:, heard], targets[:, head], by_level)
    slope, shift[SENTIMENT_HEADS] = _temperature(
        logits[:, SENTIMENT_HEADS], targets[:, SENTIMENT_HEADS]
    )
    blend[SENTIMENT_HEADS, SENTIMENT_HEADS] *= slope
    truth = targets[:, CATEGORY_HEADS].ravel()
    pooled = logits[:, CATEGORY_HEADS].reshape(-1, 1)
    (slope,), shift[CATEGORY_HEADS] = _platt(pooled, truth, np.ones(len(pooled)))
    blend[CATEGORY_HEADS, CATEGORY_HEADS] *= slope
    likely = _sigmoid(logits @ blend + shift)[:, CATEGORY_HEADS].ravel()
    return Calibration(blend, shift, np.full(len(CATEGORIES), _best_f1(likely, truth)))


def _platt(logits: Floats, targets: Floats, weights: Floats) -> tuple[Floats, float]:
    """Logistic regression on a few logits, shrunk a little: one slope each and a shift."""
    spread = logits.std(axis=0)
    scaled = logits / spread

    def loss(values: Floats) -> float:
        scores = scaled @ values[:-1] + values[-1]
        losses = weights * (np.logaddexp(0, scores) - targets * scores)
        return float(losses.sum() + (values[:-1] ** 2).sum())

    found = minimize(loss, np.zeros(logits.shape[1] + 1), method="L-BFGS-B")
    return np.asarray(found.x[:-1] / spread), float(found.x[-1])


def _temperature(logits: Floats, targets: Floats) -> tuple[float, Floats]:
    """One slope for the three sentiments, a shift for each, all three counting alike."""
    weights = (1 / np.maximum(targets.sum(axis=0), 1))[targets.argmax(axis=1)]

    def loss(values: Floats) -> float:
        scores = np.exp(values[0]) * logits + np.append(values[1:], 0.0)
        top = scores.max(axis=1)
        total = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        return float((weights * (total - (targets * scores).sum(axis=1))).sum())

    found = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"maxiter": 4_000})
    return float(np.exp(found.x[0])), np.append(found.x[1:], 0.0)


def _best_f1(likely: Floats, targets: Floats) -> float:
    def f1(threshold: float) -> float:
        given = likely >= threshold
        return float(2 * (given * targets).sum() / max(given.sum() + targets.sum(), 1))

    return max((float(t) for t in np.arange(0.1, 0.6, 0.02)), key=f1)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))
