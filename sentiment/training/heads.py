"""All heads at once: regularised logistic regressions that share one matrix.

There are far fewer rows than columns, so the fit runs over the rows (every solution is a
combination of them) and takes seconds; a fold is a part of the same coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]

STEPS = 80
_RIDGE = 1e-4  #: keeps the factorisation sound when two rows are equal


@dataclass(frozen=True, slots=True)
class Fit:
    """``logits = coordinates @ weights + bias``."""

    weights: npt.NDArray[np.float32]
    bias: Floats


def coordinates(kernel: Floats) -> npt.NDArray[np.float32]:
    """Rows as points whose products are the kernel."""
    ridged = kernel + _RIDGE * np.eye(len(kernel))
    return np.asarray(linalg.cholesky(ridged, lower=True), dtype=np.float32)


def fit(
    points: npt.NDArray[np.float32], targets: Floats, weights: Floats, *, strength: float
) -> Fit:
    """Weighted log loss + ``strength``/2 times the squared norm; a weight of 0 means no label."""
    size, heads = points.shape[1], targets.shape[1]

    def loss(flat: Floats) -> tuple[float, Floats]:
        values = flat.reshape(size + 1, heads)
        slopes = values[:-1].astype(np.float32)
        logits = points @ slopes + values[-1]
        losses = weights * (np.logaddexp(0.0, logits) - targets * logits)
        errors = weights * (1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))) - targets)
        gradient = np.empty_like(values)
        gradient[:-1] = points.T @ errors.astype(np.float32) + strength * slopes
        gradient[-1] = errors.sum(axis=0)
        return float(losses.sum() + strength / 2 * (slopes * slopes).sum()), gradient.ravel()

    start = np.zeros((size + 1) * heads)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    values = found.x.reshape(size + 1, heads)
    return Fit(weights=values[:-1].astype(np.float32), bias=values[-1])


def over_rows(points: npt.NDArray[np.float32], fitted: Fit) -> Floats:
    """The same fit as one coefficient for each row of the kernel."""
    lower = points.astype(np.float64)
    return np.asarray(linalg.solve_triangular(lower.T, fitted.weights.astype(np.float64)))
