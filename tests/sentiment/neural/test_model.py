"""The folder of the model: whole and sound, or an error that says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import GoodnameError
from sentiment.neural import model as model_module
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import NeuralModel, clamps, load_model
from tests.sentiment.networks import ABOUT, write_model


def test_the_name_changes_with_any_of_the_files(small: NeuralModel, tmp_path: Path) -> None:
    again = load_model(write_model(tmp_path / "again"))
    other = load_model(write_model(tmp_path / "other", tail=95))
    names = [NeuralJudge(model).name for model in (small, again, other)]
    assert names[0] == names[1] == f"neural-1+{small.digest[:8]}"
    assert names[2] != names[0]


@pytest.mark.parametrize(
    ("cpu", "inexact"),
    [
        ("flags : fpu avx2 bmi2", True),
        ("flags : fpu avx2 avx512f", True),
        ("flags : fpu avx2 avx512_vnni", False),
        ("flags : fpu avx2 avx_vnni", False),
        ("Features : fp asimd asimddp", False),
        ("", False),
    ],
)
def test_processors_that_clamp_get_the_exact_kernels_and_the_same_logits(
    small: NeuralModel, small_folder: Path, monkeypatch: pytest.MonkeyPatch, cpu: str, inexact: bool
) -> None:
    monkeypatch.setattr(model_module, "_cpu", lambda: cpu)
    ids = {"input_ids": np.array([[0, 5, 6, 7, 2]])}

    judged = load_model(small_folder).session.run(["severity"], ids)

    assert clamps(cpu) is inexact
    assert np.array_equal(judged[0], small.session.run(["severity"], ids)[0])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "judge.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "cut"])
def test_a_bad_file_is_an_error_that_says_what_to_do(
    small_folder: Path, tmp_path: Path, name: str, damage: str
) -> None:
    folder = shutil.copytree(small_folder, tmp_path / "model")
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage != "missing":
        (folder / name).write_bytes(
            {"empty": b"", "garbage": b"x" * 999, "cut": whole[: len(whole) // 2]}[damage]
        )
    with pytest.raises(GoodnameError, match=r"sentiment\.training\.neural --data") as raised:
        load_model(folder)
    assert f"neural judge in {folder}: " in str(raised.value)
    assert "train-neural" in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"levels": ["none", "bad"]},
        {"sentiments": ["good", "bad", "ugly"]},
        {"sentiments": ["negative", "neutral"]},
        {"categories": ["safety"]},
        {"tail": 256},
        {"sentiment_temperature": 0},
        {"severity_blend": [[1.0] * 5] * 5},
        {"severity_shift": [0.0] * 4},
        {"category_platt": [[1, 0]]},
        {"category_threshold": [float("nan")] * 15},
        {"critical": {"at_least": 0.5}},
        {"cascade": {"low": 0.5}},
    ],
)
def test_a_file_that_means_something_else_is_refused(
    small_folder: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    folder = shutil.copytree(small_folder, tmp_path / "model")
    (folder / "judge.json").write_text(json.dumps(ABOUT | changes))
    with pytest.raises(GoodnameError):
        load_model(folder)


def test_a_network_with_other_outputs_is_refused(small_folder: Path, tmp_path: Path) -> None:
    import onnx

    folder = shutil.copytree(small_folder, tmp_path / "model")
    network = onnx.load(str(folder / "model.onnx"))
    del network.graph.output[3]
    onnx.save(network, str(folder / "model.onnx"))
    with pytest.raises(GoodnameError, match="other inputs or outputs"):
        load_model(folder)
