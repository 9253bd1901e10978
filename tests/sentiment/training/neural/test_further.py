"""A finished model learns further posts, and keeps what it knew."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from core.errors import GoodnameError  # noqa: E402
from core.types import Category, Sentiment, Severity  # noqa: E402
from sentiment.neural.judge import NeuralJudge  # noqa: E402
from sentiment.neural.model import load_model  # noqa: E402
from sentiment.training.neural import further as going_on  # noqa: E402
from sentiment.training.neural.__main__ import main  # noqa: E402
from sentiment.training.neural.encoder import Network, Shape  # noqa: E402
from sentiment.training.neural.examples import Example, token_ids  # noqa: E402
from sentiment.training.neural.export import export  # noqa: E402
from sentiment.training.neural.finished import read_finished  # noqa: E402
from sentiment.training.neural.further import further, origin, rehearsed  # noqa: E402
from sentiment.training.neural.measure import run  # noqa: E402
from sentiment.training.neural.mixture import Labelled  # noqa: E402
from sentiment.training.neural.stages import Material  # noqa: E402
from sentiment.training.neural.vocabulary import tokenizer_of  # noqa: E402
from sentiment.training.posts import LabelledPost, Reading  # noqa: E402
from tests.sentiment.networks import write_model  # noqa: E402

GRAVE = (Sentiment.NEGATIVE, Severity.CRITICAL, frozenset({Category.SAFETY}))
GLAD = (Sentiment.POSITIVE, Severity.NONE, frozenset[Category]())
LETTERS = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz.,"]
TOKENIZER = tokenizer_of([("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *LETTERS])
SMALL = Shape(vocabulary=len(LETTERS) + 4, layers=2, hidden=24, heads=2, feed_forward=48,
              positions=256)  # fmt: skip


@pytest.fixture
def network() -> Network:
    torch.manual_seed(3)
    return Network(SMALL).eval()


@pytest.fixture
def finished(network: Network, tmp_path: Path) -> Path:
    """The folder of a finished model."""
    folder = tmp_path / "model"
    folder.mkdir()
    export(network, folder / "model.onnx", length=256)
    TOKENIZER.save(str(folder / "tokenizer.json"))
    return folder


def _post(text: str, label: tuple[Sentiment, Severity, frozenset[Category]], **more: object
          ) -> LabelledPost:  # fmt: skip
    post = LabelledPost(
        text=text, lang="en", sentiment=label[0], severity=label[1], categories=label[2],
        evidence=(), kind="forum", scenario=text, trap=None, plain=False, split="train",
        readings=(Reading(*label),),
    )  # fmt: skip
    return dataclasses.replace(post, **more)  # type: ignore[arg-type]


def _words(letters: str, count: int) -> list[str]:
    draw = random.Random(letters)
    return [" ".join("".join(draw.choices(letters, k=4)) for _ in range(4)) for _ in range(count)]


def _material(ours: list[LabelledPost]) -> Material:
    public = [Labelled(text=text, label=2, weight=1.0, lang="en", data_set="far")
              for text in _words("tuv", 20)]  # fmt: skip
    return Material(wide=[], near=public, public_dev=public[:4], posts=ours, later=[],
                    posts_dev=[*ours[:3], _post("xyz", GRAVE)], parallel=[],
                    public_of={}, posts_of={}, later_of={},
    )  # fmt: skip


def _levels(network: Network, texts: list[str]) -> list[int]:
    ids = token_ids(TOKENIZER, texts)
    found: list[int] = run(network, [Example(ids=one) for one in ids]).severity.argmax(1).tolist()
    return found


@pytest.mark.parametrize("int8", [True, False])
def test_a_model_read_back_says_what_it_said(network: Network, tmp_path: Path, int8: bool) -> None:
    export(network, tmp_path / "model.onnx", length=256, int8=int8)
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))
    rows = torch.randint(4, 30, (6, 17), generator=torch.Generator().manual_seed(1))
    seen = torch.ones(rows.shape, dtype=torch.bool)

    again, tokenizer = read_finished(tmp_path)

    with torch.no_grad():
        for told, wanted in zip(again.eval()(rows, seen), network(rows, seen), strict=True):
            error = (told - wanted).abs().mean() / wanted.std()
            assert error < (0.05 if int8 else 1e-5)
    assert tokenizer.encode("abc").ids == TOKENIZER.encode("abc").ids


def test_reading_and_writing_a_model_changes_nothing(finished: Path, tmp_path: Path) -> None:
    again, _ = read_finished(finished)
    export(again, tmp_path / "again.onnx", length=256)
    third, _ = read_finished(finished)

    assert again.shape == third.shape == dataclasses.replace(SMALL, epsilon=again.shape.epsilon)
    session = [_first_logits(path) for path in (finished / "model.onnx", tmp_path / "again.onnx")]
    np.testing.assert_allclose(*session, atol=1e-5)


def _first_logits(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = np.arange(4, 21).reshape(1, 17)
    found: np.ndarray = session.run(["severity"], {"input_ids": ids})[0]  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("damage", ["nothing", "torn", "another"])
def test_a_folder_without_such_a_model_is_told(finished: Path, damage: str) -> None:
    file = finished / "model.onnx"
    if damage == "nothing":
        file.unlink()
    elif damage == "torn":
        file.write_bytes(file.read_bytes()[:4000])
    else:
        (finished / "tokenizer.json").write_text(json.dumps({"model": 1}))

    with pytest.raises(GoodnameError, match=r"holds no model to go on from.*has written"):
        read_finished(finished)


def test_it_learns_the_new_posts_and_keeps_the_others(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brisk = dataclasses.replace(going_on.FURTHER, epochs=6, rate=5e-3, head_rate=1e-2, tokens=512)
    monkeypatch.setattr(going_on, "FURTHER", brisk)
    # Compiling takes longer than these steps.
    monkeypatch.setattr("sentiment.training.neural.fit.fuse", lambda _: None)
    ours = [_post(text, GLAD) for text in _words("abc", 200)]
    new = [_post(text, GRAVE) for text in _words("xyz", 200)]
    held = [_post(text, GLAD, split="test") for text in _words("xyz", 3)]

    network, _ = further(finished, [*new, *held], _material(ours), tmp_path, {"new": "1"})

    assert np.mean(np.array(_levels(network, _words("xyz", 40))) == Severity.CRITICAL) > 0.9
    assert np.mean(np.array(_levels(network, _words("abc", 40))) == Severity.NONE) > 0.9
    assert (tmp_path / "further.pt").exists()
    with pytest.raises(GoodnameError, match="trained on something else"):
        further(finished, new, _material(ours), tmp_path, {"new": "2"})


def test_posts_held_out_are_nothing_to_learn_from(finished: Path, tmp_path: Path) -> None:
    held = [_post("abc", GRAVE, split="test")]

    with pytest.raises(GoodnameError, match="none of the new posts has the split train"):
        further(finished, held, _material([]), tmp_path, {})


def test_events_are_rehearsed_whole_and_others_each_time() -> None:
    posts = [_post(f"{lang} {event}", GLAD, scenario=str(event))
             for event in range(50) for lang in ("en", "pl", "lt", "hr")]  # fmt: skip

    first, second = (rehearsed(posts, 40, random.Random(seed)) for seed in (1, 2))

    for drawn in (first, second):
        assert 40 <= len(drawn) < 44
        told = [post.scenario for post in drawn]
        assert {told.count(event) for event in told} == {4}
    assert first != second
    assert len(rehearsed(posts, 1_000, random.Random(1))) == len(posts)


def test_a_model_names_what_it_went_on_from_and_all_licences(tmp_path: Path) -> None:
    first = write_model(tmp_path / "first", training={"layers": 1, "licences": ["D"]})
    made_of = origin(first, ["A", "B"])
    second = write_model(tmp_path / "second", training={"layers": 1, **made_of})

    names = [NeuralJudge(load_model(folder)).name for folder in (first, second)]

    assert made_of == {"licences": ["A", "B", "D"], "after": names[:1]}
    assert origin(second, ["A"]) == {"licences": ["A", "B", "D"], "after": names}


@pytest.mark.parametrize("one", ["--start", "--new"])
def test_a_start_and_its_new_posts_belong_together(
    one: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["neural", "--data", ".", one, "."])

    with pytest.raises(SystemExit):
        main()

    assert "belong together" in capsys.readouterr().err
