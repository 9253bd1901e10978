"""The shipped judges behind the interface that every judge keeps."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import GoodnameError
from core.settings import SentimentSection
from core.types import Category, Sentiment, Severity
from sentiment.judge import Judge, Judgement
from sentiment.load import SHIPPED, load_judge, open_judge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, load_model
from sentiment.neural.model import SHIPPED as OURS

POSTS = [
    "The charger melted overnight and burned my daughter's hand, we are at the hospital.",
    "Thank you, lovely food and very friendly people!",
    "Paczka spóźnia się trzy tygodnie i nikt nie odpowiada.",
    "Ar dirbate sekmadienį?",
    "Prevaranti, uzeli su mi novac i nestali.",
    "",
    "x",
    "😡😡😡",
]


@pytest.fixture(scope="module", params=["linear", "neural"])
def judge(request: pytest.FixtureRequest) -> Judge:
    return load_judge(request.param)


def test_without_a_name_it_is_the_one_of_the_settings() -> None:
    assert load_judge() is load_judge(SHIPPED)
    assert load_judge().name.startswith("neural-")


def test_labels_of_a_checkpoint_load_no_second_judge_that_ships() -> None:
    labelled = SentimentSection(model="linear", labels={"LABEL_0": Sentiment.NEGATIVE})
    assert open_judge(labelled) is load_judge("linear")


def test_what_is_said_of_one_checkpoint_is_not_said_of_another() -> None:
    said = {"labels": {"LABEL_0": "negative"}, "revision": "refs/pr/1", "pickled_weights": True}
    section = SentimentSection(model="owner/one", cascade=True, **said)

    assert section.with_model("owner/one") == section
    assert section.with_model("owner/two") == SentimentSection(model="owner/two", cascade=True)


def test_every_field_is_complete_and_probabilities_sum_to_one(judge: Judge) -> None:
    for judgement in judge(POSTS):
        assert set(judgement.sentiment_p) == set(Sentiment)
        assert set(judgement.severity_p) == set(Severity)
        assert set(judgement.category_p) == set(Category)
        assert math.isclose(sum(judgement.sentiment_p.values()), 1, abs_tol=1e-9)
        assert math.isclose(sum(judgement.severity_p.values()), 1, abs_tol=1e-9)
        every = [*judgement.sentiment_p.values(), *judgement.severity_p.values()]
        assert all(0 <= p <= 1 for p in [*every, *judgement.category_p.values()])


def test_a_fire_that_hurt_a_child_is_grave_and_thanks_are_not(judge: Judge) -> None:
    burned, thanks = judge(POSTS[:2])
    assert burned.severity >= Severity.HIGH
    assert burned.sentiment is Sentiment.NEGATIVE
    assert Category.SAFETY in burned.categories
    assert thanks.severity <= Severity.LOW
    assert thanks.sentiment is Sentiment.POSITIVE


def test_a_batch_says_what_each_text_alone_is_told(judge: Judge) -> None:
    assert judge(POSTS * 40) == [judge([text])[0] for text in POSTS] * 40


def test_the_same_text_is_judged_the_same_in_many_threads(judge: Judge) -> None:
    with ThreadPoolExecutor(8) as pool:
        results: list[list[Judgement]] = list(pool.map(lambda _: judge(POSTS), range(24)))
    assert all(result == results[0] for result in results)


def test_no_texts_give_no_judgements(judge: Judge) -> None:
    assert judge([]) == []


@pytest.mark.parametrize("cascade", [True, False])
def test_the_folder_of_a_judge_of_ours_is_a_judge(small_folder: Path, cascade: bool) -> None:
    section = SentimentSection(model=str(small_folder), cascade=cascade, labels={"A": "neutral"})

    judge = open_judge(section)

    quick = f"/{load_judge('linear').name}" if cascade else ""
    assert judge.name == NeuralJudge(load_model(small_folder)).name + quick
    assert judge is load_judge(str(small_folder), cascade=cascade)
    assert [one.language for one in judge(["Ar dirbate sekmadienį?"])] == ["lt"]


def test_a_folder_is_one_judge_however_it_is_spelled(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_folder)
    assert load_judge(".") is load_judge(str(small_folder))
    assert load_judge(str(OURS)) is load_judge("neural")


def test_the_linear_judge_needs_no_library_of_the_encoder() -> None:
    told = "import sys; from sentiment.load import load_judge; load_judge('linear');"
    told += "print('onnxruntime' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert ran.stdout == "False\n"


def test_half_a_judge_is_an_error_that_names_its_folder(small_folder: Path, tmp_path: Path) -> None:
    shutil.copy(small_folder / ABOUT, tmp_path)
    with pytest.raises(GoodnameError, match=re.escape(f"neural judge in {tmp_path}: ")):
        load_judge(str(tmp_path))


@pytest.mark.parametrize("model", ["x" * 5000, "nul\0", "~nobody-here"])
def test_a_path_that_cannot_be_is_an_error_in_words(model: str) -> None:
    with pytest.raises(GoodnameError, match=r"\[sentiment\] model"):
        load_judge(model)


def test_a_process_loads_a_judge_once_even_when_threads_race() -> None:
    with ThreadPoolExecutor(8) as pool:
        judges = list(pool.map(lambda _: load_judge("linear"), range(16)))
    assert len({id(judge) for judge in judges}) == 1


def test_an_unknown_judge_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(GoodnameError, match=r"'linaer'.*linear"):
        load_judge("linaer")


def test_a_text_without_words_is_judged_with_low_confidence(judge: Judge) -> None:
    for judgement in judge(["", "   \n\t", "\x00", "https://shop.example/a?b=c", "\u200b\u200b"]):
        assert judgement.severity is Severity.NONE
        assert max(judgement.sentiment_p.values()) < 0.34
        assert judgement.reasons == ()
        assert judgement.categories == ()
        assert (judgement.language, judgement.language_p) == ("und", None)


def test_markup_and_invisible_characters_do_not_change_a_grade() -> None:
    plain = "The heater caught fire and my son was taken to hospital"
    dressed = [
        "The hea\u200bter ca\u00adught fi\u200dre and my son was taken to hos\ufeffpital",
        "<p>The heater <b>caught fire</b> and my son was taken to hospital</p>",
        "THE HEATER CAUGHT FIRE AND MY SON WAS TAKEN TO HOSPITAL",
        "The heater caught fire and my son was taken to hospital https://x.example/fire",
        "The he\u0301ater caught fi\u0308re and my son was taken to hospital\x00",
    ]
    for kind in ("linear", "neural"):
        judge = load_judge(kind)
        expected = judge([plain])[0]
        for judgement in judge(dressed):
            assert judgement.severity is expected.severity is Severity.CRITICAL
            if kind == "linear":
                assert judgement.severity_p == pytest.approx(expected.severity_p)


def test_for_the_linear_judge_words_without_their_accents_are_the_same_words() -> None:
    full, bare = load_judge("linear")(
        ["Żądam zwrotu pieniędzy, oszuści!", "Zadam zwrotu pieniedzy, oszusci!"]
    )
    assert full.severity_p == bare.severity_p
    assert full.category_p == bare.category_p
