"""Thresholds and temperatures, fitted on what readers said."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sentiment.training.neural.calibrate import (
    LEAST_RECALL,
    LEVELS,
    WANTED_PRECISION,
    WANTED_RECALL,
    Logits,
    Truth,
    calibrated,
    critical_cut,
    temperature,
    unseen,
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


def _levels(texts: int, *, praised_as_grave: float = 0.0) -> tuple[Logits, Truth]:
    """A network that is honest about severity, but for praise that it takes for critical."""
    draw = _draw()
    severity = np.repeat(np.arange(LEVELS), texts // LEVELS)
    said = draw.normal(0, 1, (len(severity), LEVELS))
    said[range(len(severity)), severity] += 2
    praise = (severity == 0) & (draw.uniform(size=len(severity)) < praised_as_grave)
    said[praise, LEVELS - 1] += 5
    sentiment = np.where(severity > 0, 0, 2)
    felt = draw.normal(0, 1, (len(severity), 3))
    felt[range(len(severity)), sentiment] += 4
    category = np.zeros((len(severity), 15))
    return Logits(felt, said, category), Truth(sentiment, severity, category)


def _alone(truth: Truth) -> list[str]:
    return [str(number) for number in range(len(truth.severity))]


def test_praise_taken_for_grave_is_told_by_the_sentiment_beside_it() -> None:
    logits, truth = _levels(1_000, praised_as_grave=0.5)

    likely = unseen(logits, truth, _alone(truth))

    praised = truth.severity == 0
    assert (logits.severity[praised].argmax(axis=1) == LEVELS - 1).mean() > 0.4
    assert (likely[praised].argmax(axis=1) == LEVELS - 1).mean() < 0.05


def test_levels_of_a_network_too_sure_of_itself_are_cooled_down_too() -> None:
    logits, truth = _levels(2_000)
    loud = Logits(logits.sentiment, logits.severity * 4, logits.category)

    said = unseen(loud, truth, _alone(truth))

    right = said.argmax(axis=1) == truth.severity
    assert said.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)


def test_no_text_is_graded_by_what_was_fitted_on_another_of_its_scenario() -> None:
    logits, truth = _levels(400)
    of_one = np.arange(400) % 5 < 4  # four texts in five of every level, all called critical
    lying = Truth(truth.sentiment, np.where(of_one, LEVELS - 1, truth.severity), truth.category)
    told = ["one" if one else str(number) for number, one in enumerate(of_one)]

    apart, mixed = unseen(logits, lying, told), unseen(logits, lying, _alone(lying))

    harmless = of_one & (truth.severity == 0)
    assert mixed[harmless, LEVELS - 1].mean() > 0.6
    assert apart[harmless, LEVELS - 1].mean() < 0.3


def test_all_that_the_judge_needs_is_fitted() -> None:
    logits, truth = _levels(400)

    fitted = calibrated(logits, truth, _alone(truth))

    assert np.shape(fitted["severity_blend"]) == (LEVELS + 3, LEVELS)
    assert np.shape(fitted["severity_shift"]) == (LEVELS,)
    assert 0 < fitted["critical"]["at_least"] < 1
    assert json.loads(json.dumps(fitted)) == fitted


def test_a_network_too_sure_of_itself_is_cooled_down() -> None:
    draw = _draw()
    truth = draw.integers(0, 3, 4_000)
    honest = draw.normal(0, 1, (4_000, 3))
    honest[range(4_000), truth] += 1

    cooled, as_it_is = temperature(honest * 3, truth), temperature(honest, truth)

    assert cooled / as_it_is == pytest.approx(3, rel=0.05)
