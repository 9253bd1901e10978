"""The thresholds of the first stage, chosen for a written model."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from core.types import Sentiment
from sentiment.cascade import CascadeJudge
from sentiment.linear import model as linear_model
from sentiment.linear.judge import LinearJudge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import load_model
from sentiment.training.neural.first_stage import add_first_stage, main
from sentiment.training.neural.mixture import Labelled
from sentiment.training.neural.stages import Material
from sentiment.training.posts import POSTS, read_posts


def test_a_model_gets_thresholds_and_runs_behind_a_cascade(
    small_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    posts = [post for post in read_posts(POSTS) if post.split == "dev"][:40]
    thanks = [Labelled(f"Thank you, lovely food and friendly people! {n}",
                       list(Sentiment).index(Sentiment.POSITIVE), 1.0, "en", "x")
              for n in range(10)]  # fmt: skip

    effect = add_first_stage(folder, posts, thanks)

    assert effect.lost <= 0.005
    model = load_model(folder)
    assert model.about.harmless is not None
    quick = LinearJudge(linear_model.load_model(linear_model.SHIPPED))
    every = [*(post.text for post in posts), *(text.text for text in thanks)]
    settled = [model.about.harmless(one) for one in quick(every)]
    assert effect.settled == pytest.approx(sum(settled) / len(every))
    cascade = CascadeJudge(quick, NeuralJudge(model), model.about.harmless)
    assert len(cascade([post.text for post in posts])) == len(posts)


def test_a_folder_without_a_model_keeps_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "index.json").write_text(json.dumps([]))
    monkeypatch.setattr(sys, "argv", ["first_stage", str(tmp_path), "--data", str(tmp_path)])

    with pytest.raises(SystemExit, match="cannot read the neural judge in"):
        main()

    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]


def test_thresholds_are_chosen_again_on_the_sets_that_the_model_may_know(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    about = json.loads((folder / "judge.json").read_text())
    about.pop("cascade", None)
    about["training"] = {"layers": 1, "licences": ["A", "B"]}
    (folder / "judge.json").write_text(json.dumps(about))
    asked: list[object] = []

    def gather(data: Path, licences: list[str]) -> Material:
        asked.append((data, licences))
        posts = [post for post in read_posts(POSTS) if post.split == "dev"][:20]
        return Material(wide=[], near=[], public_dev=[], posts=[], posts_dev=[], parallel=posts,
                        wide_of={}, near_of={}, posts_of={})  # fmt: skip

    monkeypatch.setattr("sentiment.training.neural.stages.gather", gather)
    monkeypatch.setattr(sys, "argv", ["first_stage", str(folder), "--data", str(tmp_path)])

    main()

    assert asked == [(tmp_path, ("A", "B"))]
    assert load_model(folder).about.harmless is not None
