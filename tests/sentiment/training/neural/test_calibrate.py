"""Thresholds and temperatures, fitted on what readers said."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed")

from sentiment.training.neural.calibrate import (
    LEAST_RECALL,
    WANTED_PRECISION,
    WANTED_RECALL,
    critical_cut,
    graded,
    temperature,
)


def _draw() -> np.random.Generator:
    return np.random.default_rng(4)


def _measured(likely: np.ndarray, critical: np.ndarray, cut: float) -> tuple[float, float]:  # type: ignore[type-arg]
    given = likely >= cut
    return float(given[critical].mean()), float(critical[given].mean())


def test_where_both_can_be_had_recall_is_bought_no_dearer_than_needed() -> None:
    critical = np.repeat([True, False], [100, 100])
    likely = np.where(critical, _draw().uniform(0.5, 1, 200), _draw().uniform(0, 0.4, 200))

    cut = critical_cut(likely, critical)

    recall, precision = _measured(likely, critical, cut)
    assert precision == 1
    assert recall >= WANTED_RECALL
    assert _measured(likely, critical, cut + 0.02)[0] < WANTED_RECALL


def _noisy(noise: float) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    critical = np.repeat([True, False], [100, 300])
    likely = np.where(critical, 0.55, 0.3) + _draw().normal(0, noise, 400)
    return np.clip(likely, 0.01, 0.99), critical


def test_where_recall_would_cost_too_much_precision_takes_some_of_it() -> None:
    likely, critical = _noisy(0.085)

    cut = critical_cut(likely, critical)

    recall, precision = _measured(likely, critical, cut)
    assert precision >= WANTED_PRECISION
    assert LEAST_RECALL <= recall < WANTED_RECALL
    assert _measured(likely, critical, cut - 0.02)[1] < WANTED_PRECISION


def test_recall_decides_where_precision_would_take_too_much_of_it() -> None:
    likely, critical = _noisy(0.2)

    cut = critical_cut(likely, critical)

    recall, precision = _measured(likely, critical, cut)
    assert recall >= WANTED_RECALL
    assert precision < WANTED_PRECISION


def test_a_level_is_the_highest_that_reaches_its_threshold() -> None:
    likely = np.array([
        [0.5, 0.2, 0.1, 0.1, 0.1],
        [0.2, 0.5, 0.1, 0.1, 0.1],
        [0.1, 0.1, 0.1, 0.5, 0.2],
        [0.1, 0.1, 0.1, 0.4, 0.3],
    ])  # fmt: skip

    assert graded(likely, [0.6, 0.6, 0.6, 0.25]).tolist() == [0, 1, 3, 4]


def test_what_is_far_more_likely_harmless_is_not_called_critical() -> None:
    likely = np.array([[0.56, 0.11, 0.10, 0.05, 0.18], [0.20, 0.27, 0.25, 0.10, 0.18]])

    assert graded(likely, [0.6, 0.6, 0.6, 0.14]).tolist() == [0, 4]


def test_a_network_too_sure_of_itself_is_cooled_down() -> None:
    draw = _draw()
    truth = draw.integers(0, 3, 4_000)
    honest = draw.normal(0, 1, (4_000, 3))
    honest[range(4_000), truth] += 1

    cooled, as_it_is = temperature(honest * 3, truth), temperature(honest, truth)

    assert cooled / as_it_is == pytest.approx(3, rel=0.05)
