"""The model file: shipped whole, small, described by its card, never unpickled."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import GoodnameError
from sentiment.linear.judge import LinearJudge
from sentiment.linear.model import SHIPPED, load_model, save_model
from sentiment.load import load_judge
from sentiment.training.figures import post_figures
from sentiment.training.posts import POSTS, read_posts


def test_the_card_and_the_figures_are_of_the_shipped_file() -> None:
    digest = load_model(SHIPPED).digest
    assert f"`{digest}`" in SHIPPED.with_name("README.md").read_text("utf-8")
    assert json.loads(SHIPPED.with_name("figures.json").read_text())["sha256"] == digest
    assert load_judge("linear").name == f"linear-2+{digest[:8]}"


def test_the_shipped_file_is_small() -> None:
    assert SHIPPED.stat().st_size < 4_000_000


def test_the_figures_of_the_card_are_counted_again_and_agree() -> None:
    test = [post for post in read_posts(POSTS) if post.split == "test"]
    stored = json.loads(SHIPPED.with_name("figures.json").read_text())["own_test"]["all"]
    assert post_figures(load_judge("linear"), test) == pytest.approx(stored, abs=0.005)


def test_no_class_for_evaluation_only_was_trained_on() -> None:
    trained = json.loads(SHIPPED.with_name("figures.json").read_text())["trained_on"]
    assert trained
    assert "C" not in trained.values()


def test_a_saved_model_is_the_same_model_and_the_same_bytes(tmp_path: Path) -> None:
    shipped = load_model(SHIPPED)
    save_model(shipped.arrays, tmp_path / "again.npz")
    again = load_model(tmp_path / "again.npz")
    assert again.digest == shipped.digest
    text = ["Sąskaita neteisinga, grąžinkit pinigus"]
    assert LinearJudge(again)(text) == LinearJudge(shipped)(text)


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "cut", "other labels"])
def test_a_bad_file_is_an_error_that_says_what_to_do(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.npz"
    whole = SHIPPED.read_bytes()
    if damage == "other labels":
        about = np.frombuffer(b'{"format": 1}', dtype=np.uint8)
        np.savez(path, about=about)
    elif damage != "missing":
        path.write_bytes({"empty": b"", "garbage": b"x" * 999, "cut": whole[:50_000]}[damage])
    with pytest.raises(GoodnameError, match=r"sentiment\.training\.linear"):
        load_model(path)


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (str(Path("pwned").absolute()),))


def test_a_pickle_in_the_file_is_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("model.npz", "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        archive.writestr("about.npy", header.getvalue() + pickle.dumps(_Trap()))
    with pytest.raises(GoodnameError):
        load_model(Path("model.npz"))
    assert not Path("pwned").exists()
