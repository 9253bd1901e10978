"""Whether probabilities mean what they say.

The expected calibration error is that of Guo et al. 2017 ("On Calibration of Modern Neural
Networks"), with bins of equal mass in place of equal width (Nguyen and O'Connor 2015; Nixon et al.
2019): texts are sorted by the probability of the likeliest answer, cut into 15 bins of equally many
texts, and the error is the mean over the texts of |mean probability - share of right answers| of
their bin.

Chance alone makes it larger than 0: of a few hundred texts even a perfectly calibrated judge shows
several hundredths. ``floor`` says how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15
DRAWS = 200  #: of outcomes, to find the floor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Texts of about the same confidence."""

    count: int
    confidence: float  #: mean probability that was claimed
    right: float  #: share of them where the claim was right


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far claimed probabilities are from shares that came true."""

    error: float  #: the expected calibration error
    floor: float  #: what chance alone gives a perfectly calibrated judge on these texts
    bins: tuple[Bin, ...]


def calibration(confidence: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Of claims with a probability, and whether each came true."""
    if not confidence:
        return Calibration(error=0.0, floor=0.0, bins=())
    claimed, came = np.array(confidence, dtype=float), np.array(right, dtype=float)
    order = np.argsort(claimed, kind="stable")
    claimed, came = claimed[order], _shared(claimed[order], came[order])
    edges = np.linspace(0, len(claimed), min(BINS, len(claimed)) + 1).round().astype(int)
    sizes = np.diff(edges)
    means = np.add.reduceat(claimed, edges[:-1]) / sizes
    shares = np.add.reduceat(came, edges[:-1]) / sizes
    return Calibration(
        error=float(np.abs(means - shares) @ sizes / len(claimed)),
        floor=_floor(claimed, edges, sizes),
        bins=tuple(
            Bin(count=int(n), confidence=float(p), right=float(s))
            for n, p, s in zip(sizes, means, shares, strict=True)
        ),
    )


def _shared(claimed: Floats, came: Floats) -> Floats:
    """Equal claims share their outcomes, so that the order of the texts changes no bin."""
    _, group, counts = np.unique(claimed, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(group, weights=came) / counts)[group])


def _floor(claimed: Floats, edges: npt.NDArray[np.int_], sizes: npt.NDArray[np.int_]) -> float:
    """Mean error over outcomes drawn with exactly the claimed probabilities."""
    chance = np.random.default_rng(0)
    errors = []
    for _ in range(DRAWS):
        missed = claimed - (chance.random(len(claimed)) < claimed)
        errors.append(np.abs(np.add.reduceat(missed, edges[:-1])).sum() / sizes.sum())
    return float(np.mean(errors))
