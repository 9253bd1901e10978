"""The training itself, on a part of the public sets: it ends close to the shipped judge."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.types import Severity
from sentiment.linear.judge import LinearJudge
from sentiment.linear.model import SHIPPED, load_model, save_model
from sentiment.training.figures import post_figures
from sentiment.training.posts import read_posts

SHARED = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[3] / "shared"))
DATA = SHARED / "data" / "sentiment"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    progress = pytest.importorskip("rich.progress")
    training = pytest.importorskip("sentiment.training.linear")
    posts = [post for post in read_posts() if post.split != "test"]
    path: Path = tmp_path_factory.mktemp("model") / "model.npz"
    with progress.Progress(disable=True) as shown:
        save_model(training.train(DATA, posts, cap=150, progress=shown), path)
    return path


def test_a_small_training_comes_close_to_the_shipped_figures(trained: Path) -> None:
    judge = LinearJudge(load_model(trained))
    test = [post for post in read_posts() if post.split == "test"]
    shipped = json.loads(SHIPPED.with_name("figures.json").read_text("utf-8"))["own_test"]["all"]
    figures = post_figures(judge, test)
    assert figures["grave_auc"] == pytest.approx(shipped["grave_auc"], abs=0.06)
    assert figures["grave_recall"] == pytest.approx(shipped["grave_recall"], abs=0.15)
    assert figures["sentiment_f1"] == pytest.approx(shipped["sentiment_f1"], abs=0.12)


def test_the_trained_judge_is_another_one_by_name(trained: Path) -> None:
    assert LinearJudge(load_model(trained)).name != LinearJudge(load_model(SHIPPED)).name


def test_training_twice_gives_the_same_file(trained: Path, tmp_path: Path) -> None:
    from rich.progress import Progress

    from sentiment.training.linear import train

    posts = [post for post in read_posts() if post.split != "test"]
    with Progress(disable=True) as progress:
        save_model(train(DATA, posts, cap=150, progress=progress), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == trained.read_bytes()


def test_a_judge_that_learned_levels_turned_round_fails_the_figures(tmp_path: Path) -> None:
    """The figures measure what was learned, and not the posts alone."""
    from dataclasses import replace

    from rich.progress import Progress

    from sentiment.training.linear import train

    posts = [post for post in read_posts() if post.split != "test"]
    turned = [
        replace(post, severity=Severity(4 - post.severity), evidence=(), categories=frozenset())
        for post in posts
    ]
    with Progress(disable=True) as progress:
        save_model(train(DATA, turned, cap=50, progress=progress), tmp_path / "turned.npz")
    test = [post for post in read_posts() if post.split == "test"]
    judge = LinearJudge(load_model(tmp_path / "turned.npz"))
    assert post_figures(judge, test)["grave_auc"] < 0.55
