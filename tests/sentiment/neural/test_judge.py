"""The neural judge: decisions from the network's numbers, honest where there are none."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.types import Category, Sentiment, Severity
from sentiment import language
from sentiment.judge import Judge, Judgement
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import NeuralModel, load_model
from tests.sentiment.networks import write_model

POSTS = [
    "The heater caught fire and my arm was burned",
    "thank thank you, lovely lovely room",
    "my parcel was late",
    "Ar dirbate sekmadienį?",
    "",
    "x",
    "😡😡😡",
    "the " * 2_000 + "fire",
]


@pytest.fixture(scope="module", params=["small", "shipped"])
def model(request: pytest.FixtureRequest) -> NeuralModel:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def judge(model: NeuralModel) -> NeuralJudge:
    return NeuralJudge(model, threads=2)


def test_every_field_is_complete_and_probabilities_sum_to_one(judge: Judge) -> None:
    for judgement in judge(POSTS):
        assert list(judgement.sentiment_p) == list(Sentiment)
        assert list(judgement.severity_p) == list(Severity)
        assert list(judgement.category_p) == list(Category)
        assert math.isclose(sum(judgement.sentiment_p.values()), 1, abs_tol=1e-9)
        assert math.isclose(sum(judgement.severity_p.values()), 1, abs_tol=1e-9)
        assert (judgement.categories == ()) == (judgement.severity is Severity.NONE)
        assert bool(judgement.reasons) == (judgement.severity >= Severity.MEDIUM)
        if judgement.severity >= Severity.HIGH:
            assert judgement.sentiment is Sentiment.NEGATIVE


def test_a_batch_says_what_each_text_alone_is_told(judge: Judge) -> None:
    alone = [judge([text])[0] for text in POSTS]
    assert judge(POSTS * 5) == alone * 5
    assert judge(POSTS[::-1]) == alone[::-1]
    assert judge([]) == []


def test_the_same_text_is_judged_the_same_in_many_threads(judge: Judge) -> None:
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: judge(POSTS[:6]), range(12)))
    assert all(result == results[0] for result in results)


def test_threads_change_no_bit(model: NeuralModel, judge: Judge) -> None:
    assert NeuralJudge(model, threads=1)(POSTS) == judge(POSTS)


def test_a_wrong_tag_of_the_language_changes_no_score(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = judge(POSTS)
    monkeypatch.setattr("sentiment.neural.judge.identify", lambda _: ("xx", 0.99))
    for before, after in zip(right, judge(POSTS), strict=True):
        assert after.language == "xx"
        assert (before.sentiment_p, before.severity_p) == (after.sentiment_p, after.severity_p)
        assert (before.category_p, before.reasons) == (after.category_p, after.reasons)
    assert language.identify(POSTS[0])[0] == "en"


def test_invisible_signs_and_twins_of_letters_change_no_grade(judge: Judge) -> None:
    plain, *dressed = judge([
        "The heater caught fire and my arm was burned",
        "The hea\u200bter ca\u00adught fi\u200dre and my arm was bur\ufeffned\x00",
        "The hеater саught fіrе and my arm was burnеd",
        "<p>The heater <b>caught fire</b> and my arm was burned</p>",
        "\u202eThe heater caught   fire\u202c and my\tarm was burned",
    ])  # fmt: skip
    for judgement in dressed:
        assert judgement.severity_p == plain.severity_p


def test_numbers_mean_what_the_small_network_says(small: NeuralModel) -> None:
    judge = NeuralJudge(small, threads=1)
    burned, thanks, late = judge(POSTS[:3])
    assert burned.severity is Severity.CRITICAL
    assert burned.categories[0] is Category.SAFETY
    assert thanks.severity is Severity.NONE
    assert thanks.sentiment is Sentiment.POSITIVE
    assert late.severity is Severity.MEDIUM
    assert late.categories == (Category.DELIVERY,)


def test_a_long_text_is_read_at_its_head_and_its_tail(small: NeuralModel) -> None:
    judge = NeuralJudge(small, threads=1)
    middle = "the parcel " * 5_000
    head, tail, hidden = judge([
        "fire burned hospital " * 9 + middle,
        middle + "fire burned hospital " * 9,
        middle + "fire burned hospital " * 9 + middle,
    ])  # fmt: skip
    assert head.severity is tail.severity is Severity.CRITICAL
    assert hidden.severity is Severity.NONE
    assert all(span.start > 50_000 for span in tail.reasons[0].spans)


LATE = "my parcel was late"


def test_a_threshold_decides_what_is_critical_and_the_likeliest_of_the_others_follows(
    tmp_path: Path,
) -> None:
    for at_least, level in ((0.0, Severity.CRITICAL), (2.0, Severity.MEDIUM)):
        judged = _judged(tmp_path / str(at_least), at_least=at_least, beside_none=0.0)
        assert judged.severity is level


def test_critical_must_not_be_far_less_likely_than_none(tmp_path: Path) -> None:
    assert _judged(tmp_path / "let", at_least=0.0, beside_none=0.0).severity is Severity.CRITICAL
    assert _judged(tmp_path / "held", at_least=0.0, beside_none=1e9).severity is Severity.MEDIUM


def test_severity_listens_to_the_sentiment_beside_it(tmp_path: Path) -> None:
    blend = [[float(row == level) for level in range(5)] for row in range(8)]
    # The less likely it is that a text praises, the less likely it is harmless.
    blend[5 + list(Sentiment).index(Sentiment.POSITIVE)][0] = 100.0
    model = load_model(write_model(tmp_path / "model", severity_blend=blend))
    (late,) = NeuralJudge(model, threads=1)([LATE])
    assert late.sentiment is Sentiment.NEGATIVE
    assert late.severity_p[Severity.NONE] < 1e-9


def test_a_blend_goes_by_the_order_of_the_sentiments_that_the_file_names(tmp_path: Path) -> None:
    blend = [[0.1 * row * level - 0.2 * row for level in range(5)] for row in range(8)]
    plain = load_model(write_model(tmp_path / "plain", severity_blend=blend))
    turned = load_model(write_model(tmp_path / "turned", severity_blend=blend,
                                    sentiments=["positive", "neutral", "negative"]))  # fmt: skip
    (one,), (other,) = (NeuralJudge(model, threads=1)([LATE]) for model in (plain, turned))
    # The outputs and their rows are the same, only what they are called differs.
    assert one.severity_p == other.severity_p
    assert one.sentiment_p[Sentiment.NEGATIVE] == other.sentiment_p[Sentiment.POSITIVE]


def _judged(folder: Path, **critical: float) -> Judgement:
    model = load_model(write_model(folder, critical=critical))
    return NeuralJudge(model, threads=1)([LATE])[0]


def test_a_complaint_has_at_least_its_likeliest_category(tmp_path: Path) -> None:
    model = load_model(write_model(tmp_path / "model", category_threshold=[1.0] * 15))
    (judgement,) = NeuralJudge(model, threads=1)(["The heater caught fire"])
    assert judgement.categories == (Category.SAFETY,)


def test_emoji_alone_have_a_tone_but_tell_of_no_incident(judge: Judge) -> None:
    (angry,) = judge(["😡😡😡"])
    assert angry.severity is Severity.NONE
    assert len(set(angry.sentiment_p.values())) == 3


def test_noise_and_unserved_scripts_go_towards_the_prior(judge: Judge) -> None:
    for judgement in judge(["xk qpw zzrt lkjh mnbv wqzx poiu", "ⵜⴰⵎⴰⵣⵉⵖⵜ ⴰⵡⴰⵍ", "𐎠𐎡𐎢𐎣𐎤𐎥𐎦𐎧"]):
        assert judgement.severity is Severity.NONE
        assert max(judgement.sentiment_p.values()) < 0.5
