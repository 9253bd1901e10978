"""How far judges agree with people; the figures against a count by hand."""

from __future__ import annotations

import pytest

from pipeline.agreement import compare

LEVELS = ["none", "low", "medium", "high", "critical"]


def test_the_figures_are_those_counted_by_hand() -> None:
    pairs = [
        ("critical", "critical", 3),
        ("critical", "medium", 1),
        ("medium", "medium", 2),
        ("none", "medium", 2),
    ]
    told = compare(pairs, LEVELS)
    assert (told.compared, told.agreed) == (8, 5)
    assert told.confusion["critical"] == {
        "none": 0, "low": 0, "medium": 1, "high": 0, "critical": 3,
    }  # fmt: skip
    assert told.recall == {"none": 0.0, "medium": 1.0, "critical": 0.75}
    # critical 2·3/(4+3), medium 2·2/(2+5), none 0: nobody named low and high.
    assert told.macro_f1 == pytest.approx((6 / 7 + 4 / 7 + 0) / 3, abs=1e-4)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    pairs = [("none", "low", 2), ("low", "low", 5), ("high", "critical", 1), ("none", "none", 7)]
    person = [one for one, _, count in pairs for _ in range(count)]
    judge = [one for _, one, count in pairs for _ in range(count)]
    expected = f1_score(person, judge, average="macro", zero_division=0.0)
    assert compare(pairs, LEVELS).macro_f1 == pytest.approx(expected, abs=1e-4)


def test_nothing_compared_is_no_figure() -> None:
    told = compare([], LEVELS)
    assert (told.compared, told.macro_f1, told.recall) == (0, None, {})
