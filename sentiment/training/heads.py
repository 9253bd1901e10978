"""All heads at once: regularised logistic regressions that share one sparse matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]

STEPS = 80


@dataclass(frozen=True, slots=True)
class Fit:
    """``logits = features @ weights + bias``; weights (features, heads), bias (heads,)."""

    weights: npt.NDArray[np.float32]
    bias: Floats

    def logits(self, features: sparse.csr_matrix) -> Floats:
        """Of each row and head."""
        return np.asarray(features @ self.weights + self.bias, dtype=np.float64)


def fit(
    features: sparse.csr_matrix,
    targets: Floats,
    weights: Floats,
    *,
    strength: float,
    advance: Callable[[], None] = lambda: None,
) -> Fit:
    """Weighted log loss + ``strength``/2 times the squared norm; a weight of 0 means no label.

    ``features`` (rows, features), float32; ``targets`` and ``weights`` (rows, heads).
    """
    size, heads = features.shape[1], targets.shape[1]
    turned = features.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        values = flat.reshape(size + 1, heads)
        slopes = values[:-1].astype(np.float32)
        logits = features @ slopes + values[-1]
        losses = weights * (np.logaddexp(0.0, logits) - targets * logits)
        errors = weights * (1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))) - targets)
        gradient = np.empty_like(values)
        gradient[:-1] = turned @ errors.astype(np.float32) + strength * slopes
        gradient[-1] = errors.sum(axis=0)
        return float(losses.sum() + strength / 2 * (slopes * slopes).sum()), gradient.ravel()

    found = minimize(
        loss,
        np.zeros((size + 1) * heads),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS},
        callback=lambda _: advance(),
    )
    values = found.x.reshape(size + 1, heads)
    return Fit(weights=values[:-1].astype(np.float32), bias=values[-1])
