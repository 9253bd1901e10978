"""A checkpoint behind the interface that every judge keeps."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.errors import GoodnameError
from core.settings import SentimentSection
from core.types import Sentiment, Severity
from sentiment.judge import Judge, grades_only
from sentiment.load import SHIPPED, load_judge, open_judge
from tests.sentiment.test_hostile_texts import OURS

Opened = Callable[..., Judge]
NEG, NEU, POS = Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE

POSTS = [
    "The parcel never came and nobody answers",
    "Thank you, lovely food and great people",
    "Is the office open on Monday?",
    "",
    "the " * 300 + "terrible terrible terrible",
    "lovely",
]


def test_the_checkpoint_decides_the_sentiment_and_our_judge_the_rest(
    three: Path, opened: Opened
) -> None:
    judged = opened(three)(POSTS[:3])
    assert [judgement.sentiment for judgement in judged] == [NEG, POS, NEU]
    assert all(max(judgement.sentiment_p.values()) > 0.8 for judgement in judged)
    for judgement, ours in zip(judged, load_judge("linear")(POSTS[:3]), strict=True):
        assert math.isclose(sum(judgement.sentiment_p.values()), 1, abs_tol=1e-9)
        for part in ("language", "severity", "severity_p", "categories", "category_p", "reasons"):
            assert getattr(judgement, part) == getattr(ours, part)


def test_the_name_says_both_judges_and_changes_with_weights_and_labels(
    three: Path, opened: Opened, tmp_path: Path
) -> None:
    from tests.sentiment.checkpoint.making import make_checkpoint

    names = {
        opened(three).name,
        opened(three, labels={"neutral": NEG}).name,
        opened(make_checkpoint(tmp_path / three.name, seed=8)).name,
    }
    assert len(names) == 3
    for name in names:
        checkpoint, ours = name.split(",")
        assert checkpoint.startswith(f"hf:{three.name}+")
        assert ours == load_judge("linear").name
    assert opened(three).name in names


def test_a_grave_post_is_negative_whatever_the_checkpoint_says(three: Path, opened: Opened) -> None:
    fire = "The charger melted overnight and burned my daughter's hand, we are at the hospital."
    found = [
        opened(three, labels=labels)([fire])[0]
        for labels in ({}, {"negative": POS, "positive": NEG}, {"negative": NEU, "neutral": NEG})
    ]
    assert any(judgement.sentiment_p[NEG] < 1 / 3 for judgement in found)
    for judgement in found:
        assert judgement.severity >= Severity.HIGH
        assert judgement.sentiment is NEG


def test_a_batch_says_what_each_text_alone_is_told(three: Path, opened: Opened) -> None:
    judge = opened(three)
    assert judge(POSTS * 5) == [judge([text])[0] for text in POSTS] * 5
    assert judge([]) == []


def test_texts_that_run_together_keep_their_order_and_their_answers(
    three: Path, opened: Opened
) -> None:
    alone, together = opened(three), opened(three, batch_size=16)
    posts = [" ".join(POSTS[n % 3].split()[: n % 9 + 1]) for n in range(60)]
    for one, other in zip(alone(posts), together(posts), strict=True):
        assert other.sentiment is one.sentiment
        assert other.sentiment_p == pytest.approx(one.sentiment_p, abs=1e-5)


def test_threads_are_told_the_same(three: Path, opened: Opened) -> None:
    judge = opened(three)
    expected = judge(POSTS)
    with ThreadPoolExecutor(6) as pool:
        assert all(found == expected for found in pool.map(lambda _: judge(POSTS), range(12)))


def test_of_a_long_text_the_head_and_the_tail_are_read(three: Path, opened: Opened) -> None:
    judge = opened(three)
    filler = "the and " * 400

    def likely(head: str, middle: str, tail: str) -> object:
        return judge([f"{head} {filler}{middle} {filler}{tail}"])[0].sentiment_p

    plain = likely("the", "the", "the")
    assert likely("the", "terrible terrible terrible", "the") == plain
    assert likely("terrible terrible terrible", "the", "the") != plain
    assert likely("the", "the", "terrible terrible terrible") != plain


def test_five_megabytes_hold_nothing_up(three: Path, opened: Opened) -> None:
    judge = opened(three)
    started = time.process_time()
    judge(["lovely " * 750_000, "terrible"])
    assert time.process_time() - started < 4


def test_broken_and_malicious_texts_are_judged_in_order(three: Path, opened: Opened) -> None:
    judge = opened(three)
    judged = judge(OURS)
    assert [judge([text])[0] for text in OURS] == judged
    for judgement in judged:
        assert math.isclose(sum(judgement.sentiment_p.values()), 1, abs_tol=1e-9)
        assert all(0 <= p <= 1 for p in judgement.sentiment_p.values())


def test_a_text_that_says_nothing_is_neutral_with_no_confidence(
    three: Path, opened: Opened
) -> None:
    nothing = ["", " \n", "\x00", "https://shop.example/x", "@somebody", "...", "\u200b\u200d"]
    for judgement in opened(three)(nothing):
        assert judgement.sentiment is NEU
        assert judgement.sentiment_p == pytest.approx(dict.fromkeys(Sentiment, 1 / 3))


def test_words_that_the_tokenizer_does_not_know_give_no_confidence(
    three: Path, opened: Opened
) -> None:
    unknown, half = opened(three)(["非常糟糕的产品 Čačak", "terrible Čačak"])
    assert unknown.sentiment_p == pytest.approx(dict.fromkeys(Sentiment, 1 / 3))
    assert 1 / 3 < max(half.sentiment_p.values()) < 0.67


def test_a_text_cannot_end_itself(three: Path, opened: Opened) -> None:
    ended, words = opened(three)(["lovely [SEP] terrible", "lovely x y z terrible"])
    assert ended.sentiment_p == words.sentiment_p


def test_five_stars_are_three_sentiments(opened: Opened, three: Path, tmp_path: Path) -> None:
    from tests.sentiment.checkpoint.making import make_checkpoint

    stars = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
    judge = opened(make_checkpoint(tmp_path / "stars", labels=stars))
    assert [judgement.sentiment for judgement in judge(POSTS[:3])] == [NEG, POS, NEU]


def test_two_classes_have_no_neutral_and_the_log_says_so(
    opened: Opened, three: Path, tmp_path: Path
) -> None:
    from tests.sentiment.checkpoint.making import make_checkpoint

    folder = make_checkpoint(tmp_path / "two", labels=["LABEL_0", "LABEL_1"])
    with pytest.raises(GoodnameError, match=r"'LABEL_0', 'LABEL_1' of two mean"):
        opened(folder)
    with capture_logs() as logs:
        judge = opened(folder, labels={"LABEL_0": NEG, "LABEL_1": POS})
    assert "checkpoint_without_neutral" in [entry["event"] for entry in logs]
    judged = judge(POSTS[:2])
    assert [judgement.sentiment for judgement in judged] == [NEG, POS]
    assert all(judgement.sentiment_p[NEU] == 0 for judgement in judged)
    nothing = judge(["https://shop.example/x"])[0]
    assert nothing.sentiment is NEU
    assert nothing.sentiment_p == pytest.approx(dict.fromkeys(Sentiment, 1 / 3))


def test_an_encoder_that_never_learned_to_classify_is_refused(
    opened: Opened, three: Path, tmp_path: Path
) -> None:
    from tests.sentiment.checkpoint.making import make_headless

    with pytest.raises(GoodnameError, match=r"not trained to classify: its weights lack classif"):
        opened(make_headless(tmp_path / "headless"))


@pytest.mark.parametrize(
    ("name", "body"),
    [("model.safetensors", b"\x00" * 64), ("tokenizer.json", b"{}"),
     ("config.json", b'{"model_type": "bert", "num_labels": 1}'), ("config.json", b"{}"),
     ("config.json", b'{"model_type": "no-such-architecture"}')],
)  # fmt: skip
def test_a_broken_file_is_an_error_that_names_the_checkpoint(
    three: Path, opened: Opened, tmp_path: Path, name: str, body: bytes
) -> None:
    folder = Path(shutil.copytree(three, tmp_path / "broken"))
    (folder / name).write_bytes(body)
    with pytest.raises(GoodnameError, match="broken"):
        opened(folder)


def test_pickled_weights_give_the_same_answers_where_they_are_allowed(
    three: Path, opened: Opened, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(three, tmp_path / three.name))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(GoodnameError, match="pickled_weights = true"):
        opened(folder)
    assert opened(folder, allow_pickled=True)(POSTS) == opened(three)(POSTS)


def test_a_program_in_a_pickle_does_not_run_even_then(
    three: Path, opened: Opened, tmp_path: Path
) -> None:
    import torch

    class Program:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.mkdir, (tmp_path / "it-ran",)

    folder = Path(shutil.copytree(three, tmp_path / "evil"))
    (folder / "model.safetensors").unlink()
    torch.save({"a": Program()}, folder / "pytorch_model.bin")
    with pytest.raises(GoodnameError, match="pickle of evil is broken or holds more than numbers"):
        opened(folder, allow_pickled=True)
    assert not (tmp_path / "it-ran").exists()


def test_a_gpu_is_used_where_there_is_one(three: Path, opened: Opened) -> None:
    import torch

    with capture_logs() as logs:
        opened(three)
    used = [entry["device"] for entry in logs if entry["event"] == "checkpoint_loaded"]
    there = "cuda" if torch.cuda.is_available() else "cpu"
    assert used == ["mps" if torch.backends.mps.is_available() else there]


def test_the_settings_open_it_with_the_judge_that_ships_beside_it(three: Path) -> None:
    settings = SentimentSection(model=str(three), labels={"neutral": NEG})
    judge = open_judge(settings)
    assert judge is open_judge(settings)
    assert judge.name.endswith("," + load_judge(SHIPPED).name)
    assert judge([POSTS[2]])[0].sentiment is NEG


def test_who_looks_at_no_reasons_pays_for_none(three: Path) -> None:
    from sentiment.checkpoint.open import open_checkpoint

    judge = open_checkpoint(str(three), load_judge("neural"), labels={})
    bare = grades_only(judge)
    fire = "The charger melted overnight and burned my daughter's hand, we are at the hospital."
    [whole], [grade] = judge([fire]), bare([fire])
    assert whole.reasons
    assert not grade.reasons
    assert (grade.severity_p, grade.sentiment_p) == (whole.severity_p, whole.sentiment_p)
    assert bare.name == judge.name
