"""Reasons are words without which the judge itself grades the text lower."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from core.types import Category, Severity
from sentiment.judge import Judge, Judgement
from sentiment.neural import reasons
from sentiment.neural.clean import clean
from sentiment.neural.decide import Opinion
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import NeuralModel
from sentiment.neural.reasons import MOST_TRIES, without
from sentiment.neural.tokens import tokenise

FIRE = "Hello there, the parcel came. The fire burned my arm at home. Yours, Ann."
POSTS = [
    FIRE,
    "my parcel was late and broken",
    "Wallet stolen!! I call my lawyer.",
    "fire",
    "FIRE fire, fire; fire and burned: fire\nfire hospital",
    "the parcel " * 200 + "fire burned " + "and my " * 200 + "hospital.",
    "<p>The <b>fi\u200bre</b> &amp; the hos\u00adpital</p> https://x.example",
]


@pytest.fixture(scope="module")
def judge(small: NeuralModel) -> NeuralJudge:
    return NeuralJudge(small, threads=2)


def _cut(text: str, judgement: Judgement) -> str:
    return without(text, judgement.reasons[0].spans)


def test_without_its_reasons_a_text_is_graded_lower(judge: NeuralJudge) -> None:
    for text, judgement in zip(POSTS, judge(POSTS), strict=True):
        assert judgement.severity >= Severity.MEDIUM, text
        (reason,) = judgement.reasons
        assert reason.weight > 0
        assert judge([_cut(text, judgement)])[0].severity < judgement.severity


def test_few_words_are_named_and_they_are_the_right_ones(judge: NeuralJudge) -> None:
    (reason,) = judge([FIRE])[0].reasons
    quoted = " ".join(FIRE[span.start : span.end] for span in reason.spans)
    assert "fire" in quoted or "burned" in quoted
    assert len(quoted.split()) <= 4
    assert reason.category is Category.SAFETY
    assert reason.because.startswith('safety: "')


def test_spans_begin_and_end_with_whole_words(judge: NeuralJudge) -> None:
    for text, judgement in zip(POSTS, judge(POSTS), strict=True):
        spans = judgement.reasons[0].spans
        assert all(a.end <= b.start for a, b in pairwise(spans))
        for span in spans:
            assert not (text[span.start - 1 : span.start] or " ").isalnum()
            assert not text[span.end : span.end + 1].isalnum()


def test_what_is_graded_low_or_none_has_no_reasons(judge: NeuralJudge) -> None:
    for judgement in judge(["thank you, lovely room", "", "the parcel was lovely"]):
        assert judgement.severity < Severity.MEDIUM
        assert judgement.reasons == ()


def test_a_text_costs_no_more_than_its_share_of_tries(
    judge: NeuralJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    explain = reasons.explain

    def counting(cases: Sequence[reasons.Case], opinions: object) -> object:
        def count(texts: Sequence[str]) -> object:
            asked.append(len(texts))
            return opinions(texts)  # type: ignore[operator]

        return explain(cases, count)  # type: ignore[arg-type]

    monkeypatch.setattr("sentiment.neural.judge.explain", counting)
    for text in POSTS:
        asked.clear()
        judge([text])
        assert 0 < sum(asked) <= MOST_TRIES
    asked.clear()
    judge(POSTS)
    assert len(asked) <= 6


def test_a_grade_without_words_to_blame_has_the_whole_text_as_its_reason(
    small: NeuralModel,
) -> None:
    def graded(text: str) -> reasons.Case:
        [tokens] = tokenise([clean(text)], small.tokenizer, small.about)
        severity = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
        opinion = Opinion(np.ones(3) / 3, severity, np.zeros(15), Severity.HIGH, ())
        look = np.full(len(tokens.places), 0.1)
        return reasons.Case(text, clean(text), tokens, look, opinion)

    cases = [graded(text) for text in ("...", FIRE, "")]
    lower = Opinion(np.ones(3) / 3, np.array([1.0, 0, 0, 0, 0]), np.zeros(15), Severity.NONE, ())
    dots, fire, nothing = reasons.explain(cases, lambda texts: [lower for _ in texts])
    assert [(span.start, span.end) for span in dots.spans] == [(0, 3)]
    assert "as a whole" in dots.because
    assert fire.weight > 0
    assert nothing.weight == 0


def test_a_judge_may_leave_the_reasons_out(small: NeuralModel, judge: NeuralJudge) -> None:
    bare = NeuralJudge(small, threads=1).grades_only()(POSTS)
    assert [one.severity_p for one in bare] == [one.severity_p for one in judge(POSTS)]
    assert all(one.reasons == () for one in bare)


def test_the_words_of_a_reason_can_be_printed(judge: Judge) -> None:
    text = "fire \u202e\u0007fire\n\nburned " * 3
    for reason in judge([text])[0].reasons:
        assert reason.because.isprintable()
