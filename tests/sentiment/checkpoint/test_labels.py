"""What a checkpoint's labels mean."""

from __future__ import annotations

import tomllib

import pytest

from core.errors import GoodnameError
from core.settings import SentimentSection, load_settings
from core.types import Sentiment
from sentiment.checkpoint.labels import meanings

NEG, NEU, POS = Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        (["negative", "neutral", "positive"], [NEG, NEU, POS]),
        (["POS", "NEU", "NEG"], [POS, NEU, NEG]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [NEG, NEG, NEU, POS, POS]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very_Positive"],
         [NEG, NEG, NEU, POS, POS]),
        (["NEGATIVE", "POSITIVE"], [NEG, POS]),
    ],
)  # fmt: skip
def test_well_known_names_need_no_setting(labels: list[str], meant: list[Sentiment]) -> None:
    assert list(meanings(labels, given={}, checkpoint="a/b")) == meant


def test_the_setting_explains_names_that_say_nothing_and_wins_over_those_that_do() -> None:
    given = {"LABEL_0": NEG, "LABEL_1": POS}
    assert meanings(["LABEL_1", "LABEL_0"], given=given, checkpoint="a/b") == (POS, NEG)
    turned = meanings(["negative", "neutral", "positive"], given={"neutral": NEG}, checkpoint="x")
    assert turned == (NEG, NEG, POS)


def test_numbered_labels_are_never_guessed() -> None:
    with pytest.raises(GoodnameError, match=r"'LABEL_0', 'LABEL_1', 'LABEL_2' of a/b mean\?"):
        meanings(["LABEL_0", "LABEL_1", "LABEL_2"], given={}, checkpoint="a/b")


@pytest.mark.parametrize(
    "labels",
    [["LABEL_0", "LABEL_1", "LABEL_2"], ["LABEL_0", "LABEL_1"], ['so "so"', "a\\b", "ärger"],
     [f"{n} points" for n in range(7)]],
)  # fmt: skip
def test_the_error_shows_a_setting_that_works_as_it_stands(labels: list[str]) -> None:
    with pytest.raises(GoodnameError) as caught:
        meanings(labels, given={}, checkpoint="a/b")
    example = str(caught.value).split("e.g.: ")[1]
    section = SentimentSection.model_validate(tomllib.loads(example))
    assert list(section.labels) == labels
    meant = meanings(labels, given=section.labels, checkpoint="a/b")
    assert (meant[0], meant[-1]) == (NEG, POS)


def test_a_setting_for_a_label_that_is_not_there_is_an_error_that_lists_the_labels() -> None:
    with pytest.raises(GoodnameError, match=r"'LABEL_3', but a/b has the labels 'NEG', 'POS'"):
        meanings(["NEG", "POS"], given={"LABEL_3": NEG}, checkpoint="a/b")


@pytest.mark.parametrize("meant", [NEG, NEU, POS])
def test_labels_that_all_mean_the_same_are_refused(meant: Sentiment) -> None:
    with pytest.raises(GoodnameError, match="could not tell negative"):
        meanings(["a", "b"], given={"a": meant, "b": meant}, checkpoint="a/b")


def test_thousands_of_labels_make_a_short_error() -> None:
    with pytest.raises(GoodnameError) as caught:
        meanings([f"LABEL_{n}" for n in range(5_000)], given={}, checkpoint="a/b")
    assert len(str(caught.value)) < 2_500
    assert "4980 more" in str(caught.value)


def test_the_environment_can_say_what_labels_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODNAME_SENTIMENT__LABELS", '{"LABEL_0": "negative"}')
    assert load_settings(None, env={}).sentiment.labels == {"LABEL_0": NEG}
