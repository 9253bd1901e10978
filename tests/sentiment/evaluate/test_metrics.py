"""Our figures are those of scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from sentiment.evaluate.calibration import calibration
from sentiment.evaluate.metrics import (
    accuracy,
    class_scores,
    confusion,
    label_scores,
    macro_f1,
    micro_f1,
    share,
)

LABELS = ("negative", "neutral", "positive")


@pytest.mark.parametrize("seed", range(5))
def test_one_label_a_text(seed: int) -> None:
    chance = np.random.default_rng(seed)
    truth = chance.choice(LABELS, 200, p=(0.6, 0.3, 0.1)).tolist()
    given = np.where(chance.random(200) < 0.6, truth, chance.choice(LABELS, 200)).tolist()
    matrix = confusion(truth, given, LABELS)
    assert np.array_equal(matrix, confusion_matrix(truth, given, labels=LABELS))
    assert accuracy(matrix) == pytest.approx(accuracy_score(truth, given))
    assert macro_f1(truth, given, LABELS) == pytest.approx(
        f1_score(truth, given, labels=LABELS, average="macro")
    )
    expected = np.array(precision_recall_fscore_support(truth, given, labels=LABELS))
    found = [(s.precision, s.recall, s.f1, s.count) for s in class_scores(matrix)]
    assert pytest.approx(expected) == np.array(found).T


def test_a_label_that_is_never_true_does_not_count_in_the_mean() -> None:
    truth, given = ["negative", "positive"], ["negative", "neutral"]
    expected = f1_score(truth, given, labels=["negative", "positive"], average="macro")
    assert macro_f1(truth, given, LABELS) == pytest.approx(expected)


def test_nothing_at_all_is_no_division_by_zero() -> None:
    empty = confusion([], [], LABELS)
    assert (accuracy(empty), macro_f1([], [], LABELS)) == (0.0, 0.0)
    assert calibration([], []).error == 0.0
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)
    nothing = np.zeros((0, 3), dtype=bool)
    assert micro_f1(nothing, nothing) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_several_labels_a_text(seed: int) -> None:
    chance = np.random.default_rng(seed)
    truth = chance.random((80, 6)) < 0.2
    given = truth ^ (chance.random((80, 6)) < 0.1)
    assert micro_f1(truth, given) == pytest.approx(f1_score(truth, given, average="micro"))
    expected = f1_score(truth, given, average=None)
    assert [score.f1 for score in label_scores(truth, given)] == pytest.approx(expected)


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (38, 40), (40, 40), (1, 1), (500, 1000)])
def test_the_interval_of_a_share_is_wilsons(hits: int, total: int) -> None:
    expected = binomtest(hits, total).proportion_ci(method="wilson")
    found = share(hits, total)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.low <= found.value <= found.high


def test_calibration_bins_are_those_of_scikit_learn() -> None:
    chance = np.random.default_rng(3)
    claimed = chance.random(1_500)
    right = chance.random(1_500) < claimed**2
    came, said = calibration_curve(right, claimed, n_bins=15, strategy="quantile")
    found = calibration(claimed.tolist(), right.tolist())
    assert [b.right for b in found.bins] == pytest.approx(came)
    assert [b.confidence for b in found.bins] == pytest.approx(said)
    assert {b.count for b in found.bins} == {100}
    assert found.error == pytest.approx(np.abs(came - said).mean())
    assert found.error > 0.1


def test_a_calibrated_judge_shows_about_what_chance_gives() -> None:
    chance = np.random.default_rng(4)
    claimed = chance.uniform(0.4, 1.0, 160)
    errors = [
        calibration(claimed.tolist(), (chance.random(160) < claimed).tolist()) for _ in range(40)
    ]
    floor = errors[0].floor
    assert 0.05 < floor < 0.15
    assert np.mean([found.error for found in errors]) == pytest.approx(floor, abs=0.01)


def test_the_order_of_the_texts_changes_no_calibration() -> None:
    claimed = [0.9] * 60 + [0.6] * 40
    right = [True] * 54 + [False] * 6 + [True] * 24 + [False] * 16
    found = calibration(claimed, right)
    order = np.random.default_rng(5).permutation(100)
    mixed = calibration([claimed[i] for i in order], [right[i] for i in order])
    assert mixed.error == pytest.approx(found.error)
    assert found.error < 0.01
