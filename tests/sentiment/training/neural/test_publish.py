"""A finished model's ``judge.json``, fitted again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import load_model
from sentiment.training.neural.provenance import posts_digest
from sentiment.training.neural.publish import fit_again
from tests.sentiment.networks import write_model
from tests.sentiment.training.neural.small import DRY, GLAD, GRAVE, MILD, post

DEV = [
    post(f"{text} {number}", label)
    for text, label in (
        ("the heater caught fire and my arm was burned", GRAVE),
        ("the waiter was slow", MILD),
        ("open until nine", DRY),
        ("thank you, lovely", GLAD),
    )
    for number in range(8)
]


def test_a_judge_of_an_older_version_is_read_again_and_keeps_where_it_comes_from(
    tmp_path: Path,
) -> None:
    folder = write_model(tmp_path / "model", training={"layers": 12})
    about = folder / "judge.json"
    old = json.loads(about.read_text()) | {"version": 1, "temperature": {"severity": 1.0}}
    about.write_text(json.dumps({key: old[key] for key in old if not key.startswith("severity_")}))
    with pytest.raises(GoodnameError, match=r"training\.neural\.publish FOLDER"):
        load_model(folder)

    fit_again(folder, DEV)

    fitted = json.loads(about.read_text())
    assert "temperature" not in fitted
    assert fitted["training"] == {"layers": 12}
    assert fitted["fitted"] == {"posts": len(DEV), "sha256": posts_digest(DEV)}
    assert fitted["cascade"] == old["cascade"]
    assert len(NeuralJudge(load_model(folder), threads=1)(["the heater caught fire"])) == 1


def test_outputs_in_another_order_are_not_taken_for_ours(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", sentiments=["positive", "neutral", "negative"])
    before = (folder / "judge.json").read_bytes()

    with pytest.raises(GoodnameError, match="another sentiments: train it anew"):
        fit_again(folder, DEV)

    assert (folder / "judge.json").read_bytes() == before


def test_a_folder_without_a_model_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "judge.json").write_text("{}")

    with pytest.raises(GoodnameError, match=f"{tmp_path} holds no model"):
        fit_again(tmp_path, DEV)

    assert [path.name for path in tmp_path.iterdir()] == ["judge.json"]
