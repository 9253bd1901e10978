"""The cascade: the quick judge settles only what is plainly harmless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.types import Sentiment, Severity
from sentiment.cascade import CascadeJudge, Harmless
from sentiment.judge import Judge, grades_only
from sentiment.load import load_judge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import NeuralModel
from sentiment.training.cascade import choose, effect

TEXTS = [
    "Lovely place, friendly people, we will surely come back, thank you!",
    "The heater caught fire and my son was burned",
    "",
    "Thank you very much, excellent service and great food, I recommend it!",
    "Parcel late again, nobody answers",
]
LOOSE = Harmless(low_at_most=0.6, medium_at_most=0.4, sentiment_at_least=0.3)


@pytest.fixture(scope="module")
def quick() -> Judge:
    return load_judge("linear")


@pytest.fixture(scope="module")
def thorough(small: NeuralModel) -> Judge:
    return NeuralJudge(small, threads=1)


def test_each_text_has_the_word_of_one_of_the_two(quick: Judge, thorough: Judge) -> None:
    judged = CascadeJudge(quick, thorough, LOOSE)(TEXTS)
    first, second = quick(TEXTS), thorough(TEXTS)
    settled = [LOOSE(one) for one in first]
    assert 0 < sum(settled) < len(TEXTS)
    assert judged == [a if out else b for a, b, out in zip(first, second, settled, strict=True)]
    assert judged == [CascadeJudge(quick, thorough, LOOSE)([text])[0] for text in TEXTS]


def test_without_reasons_the_grades_are_the_same(quick: Judge, thorough: Judge) -> None:
    cascade = CascadeJudge(quick, thorough, LOOSE)
    whole, brief = cascade(TEXTS), grades_only(cascade)(TEXTS)
    settled = [LOOSE(one) for one in quick(TEXTS)]
    assert any(one.reasons for one in whole)
    assert [one if by_quick else replace(one, reasons=())
            for one, by_quick in zip(whole, settled, strict=True)] == brief  # fmt: skip
    assert grades_only(cascade).name == cascade.name


def test_nothing_with_a_grade_is_settled_by_the_quick_one(quick: Judge) -> None:
    (burned,) = quick([TEXTS[1]])
    anything = Harmless(low_at_most=1, medium_at_most=1, sentiment_at_least=0)
    assert not anything(burned)
    assert anything(replace(burned, severity=Severity.NONE))


def test_the_name_says_who_may_have_judged(quick: Judge, thorough: Judge) -> None:
    name = CascadeJudge(quick, thorough, LOOSE).name
    assert quick.name in name
    assert thorough.name in name


def test_the_chosen_thresholds_lose_no_more_than_they_may(quick: Judge, thorough: Judge) -> None:
    first, second = quick(TEXTS), thorough(TEXTS)
    truth = [one.sentiment for one in second]
    stored, chosen = choose(first, second, truth)
    assert chosen == effect(Harmless(**stored), first, second, truth)
    assert chosen.lost <= 0.005
    harmless = Harmless(**stored)
    assert not any(
        harmless(a) and b.severity >= Severity.HIGH for a, b in zip(first, second, strict=True)
    )


def test_a_quick_judge_that_is_always_wrong_settles_nothing(quick: Judge, thorough: Judge) -> None:
    first, second = quick(TEXTS), thorough(TEXTS)
    wrong = [replace(one, sentiment=Sentiment.NEUTRAL) for one in first]
    truth = [Sentiment.POSITIVE] * len(TEXTS)
    right = [replace(one, sentiment=Sentiment.POSITIVE) for one in second]
    assert choose(wrong, right, truth)[1].lost <= 0.005
