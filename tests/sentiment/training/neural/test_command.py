"""The command that trains, and what it writes at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sentiment.training.cascade import Effect
from sentiment.training.neural.__main__ import main
from sentiment.training.neural.course import Learned
from sentiment.training.neural.encoder import Network
from sentiment.training.posts import POSTS, read_posts
from tests.sentiment.networks import write_model
from tests.sentiment.training.neural.small import SMALL, TOKENIZER


@pytest.mark.parametrize("float32", [False, True])
def test_a_model_is_rounded_unless_asked_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, float32: bool
) -> None:
    (tmp_path / "index.json").write_text("[]")
    given = ["neural", "--data", tmp_path, "--work", tmp_path / "work", "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", [*map(str, given), *["--float32"] * float32])
    dev = [post for post in read_posts(POSTS) if post.split == "dev"][::4]
    monkeypatch.setattr("sentiment.training.neural.stages.read_posts", lambda: dev)
    made = Learned(network=Network(SMALL), tokenizer=TOKENIZER, origin={})
    monkeypatch.setattr("sentiment.training.neural.course.take", lambda *_, **__: made)
    effect = Effect(settled=0.0, lost=0.0, missed=0)
    monkeypatch.setattr("sentiment.training.neural.first_stage.add_first_stage", lambda *_: effect)

    main()

    about = json.loads((tmp_path / "out/judge.json").read_text())
    whole = (tmp_path / "out/model.onnx").read_bytes()
    assert about["training"].get("float32", False) is float32
    assert (b"MatMulIntegerToFloat" in whole) is not float32


def test_the_shipped_model_is_not_replaced_by_one_for_measuring(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["neural", "--data", ".", "--float32"])

    with pytest.raises(SystemExit):
        main()

    assert "name a folder with --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("epochs", "classes", "learned"),
    [(None, None, ("A", "B")), (2, "D,A", ("A", "D"))],
)
def test_a_finished_model_alone_is_shortened_with_the_licences_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    epochs: int | None,
    classes: str | None,
    learned: tuple[str, ...],
) -> None:
    write_model(tmp_path / "start", training={"layers": 12, "licences": ["A", "B"]})
    (tmp_path / "index.json").write_text("[]")
    given = ["neural", "--data", tmp_path, "--work", tmp_path / "work", "--out", tmp_path / "out",
             "--start", tmp_path / "start", "--layers", "6"]  # fmt: skip
    given += ["--epochs", epochs] if epochs else []
    given += ["--licences", classes] if classes else []
    monkeypatch.setattr("sys.argv", list(map(str, given)))
    dev = [post for post in read_posts(POSTS) if post.split == "dev"][::4]
    monkeypatch.setattr("sentiment.training.neural.stages.read_posts", lambda: dev)
    asked: list[Any] = []

    def shorten(start: Path, *_: object, **options: object) -> Learned:
        asked.append((start, options))
        origin = {"student": {"epochs": epochs}}
        return Learned(network=Network(SMALL), tokenizer=TOKENIZER, origin=origin)

    monkeypatch.setattr("sentiment.training.neural.course.shorten", shorten)
    effect = Effect(settled=0.02, lost=0.0, missed=0)
    monkeypatch.setattr("sentiment.training.neural.first_stage.add_first_stage", lambda *_: effect)

    main()

    [(start, options)] = asked
    assert start == tmp_path / "start"
    assert (options["layers"], options["licences"]) == (6, learned)
    assert options.get("epochs") == epochs
    about = json.loads((tmp_path / "out/judge.json").read_text())
    assert about["training"]["student"] == {"epochs": epochs}
