"""`goodname evaluate` as a person meets it, with the shipped judge."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import GoodnameError
from goodname.evaluating.command import Evaluation, _paths, evaluate
from sentiment.evaluate.goals import PUBLIC

ROOT = Path(__file__).parents[3]
PRAISE = "Lovely shop, thank you so much, best service ever!"
ANGER = "The heater caught fire and burned my hand, nobody answers, terrible company."


def run(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goodname", "evaluate", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two files with labels, one without, and one of another kind."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [(PRAISE, "positive", "none"), (ANGER, "negative", "critical"), ("?", "neutral", "none")]
    lines = [
        {"text": text, "sentiment": felt, "severity": level, "lang": lang, "split": "test"}
        for text, felt, level in rows
        for lang in ("en", "pl")
    ]
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    two = [{"text": PRAISE, "label": "positive"}, {"text": ANGER, "label": "negative"}]
    body = "\n".join(map(json.dumps, [*two, {"text": "x", "label": "?"}]))
    (folder / "two.jsonl").write_text(body, encoding="utf-8")
    (folder / "topics.jsonl").write_text('{"text": "x", "label": "card"}', encoding="utf-8")
    (folder / "README.md").write_text("# about", encoding="utf-8")
    return folder


def test_tables_report_and_plots_are_written(data: Path, tmp_path: Path) -> None:
    ran = run(tmp_path / "cache", str(data), "--model", "linear", "--out", str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stderr
    assert "Severity: linear-" in ran.stdout
    assert "…" not in ran.stdout
    assert "two: 1 lines without a text or a known label are left out" in ran.stderr
    assert "left out:" in ran.stderr
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| own | en | 3 | 1.000 |" in page
    assert "| two | und | 2 | 1.000 | 1.000 | 1.000 | - | 1.000 |" in page
    kept = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    [judge] = kept["judges"]
    assert [(part["data"], part["lang"]) for part in judge["languages"]] == [
        ("own", "en"), ("own", "pl"), ("two", "und")
    ]  # fmt: skip
    assert judge["languages"][0]["severity"]["critical_recall"]["value"] == 1.0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.md", "report.json", "f1.svg", "sentiment-confusion.svg", "severity-confusion.svg",
        "reliability.svg",
    }  # fmt: skip
    remembered = list((tmp_path / "cache").rglob("own.jsonl"))
    assert len(remembered) == 1
    again = run(tmp_path / "cache", str(data / "own.jsonl"), "--json", "--split", "all")
    assert len(json.loads(again.stdout)["judges"][0]["languages"]) == 2
    assert len(remembered[0].read_text(encoding="utf-8").splitlines()) == 3


POSTS = "sentiment/training/data/posts.jsonl"


@pytest.mark.parametrize(
    ("data", "more", "complaint"),
    [
        ((), {}, "name labelled files"),
        (("nowhere.jsonl",), {}, "nowhere.jsonl: no such file"),
        (("README.md",), {}, "none of its"),
        (("docs",), {}, "in this folder"),
        (("README.md",), {"limit": 0}, "--limit: a number of texts"),
        (("docs",), {"goals": True}, "docs: without the data sets polemo2_text"),
        ((POSTS,), {"split": "tset"}, "no text of the split 'tset'"),
        ((POSTS, POSTS), {}, "a second data set of the name 'posts'"),
        ((POSTS,), {"models": ("delphi",)}, "unknown judge 'delphi'"),
    ],
)
def test_a_mistake_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, data: tuple[str, ...], more: dict[str, Any], complaint: str
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(GoodnameError, match=re.escape(complaint)):
        evaluate(Evaluation(data=tuple(map(Path, data)), **more))


def test_the_goals_are_measured_on_the_public_sets_and_our_own_posts(tmp_path: Path) -> None:
    for goal in PUBLIC:
        (tmp_path / f"{goal.data}.jsonl.gz").touch()
    names = [path.name for path in _paths(Evaluation(data=(tmp_path,), goals=True))]
    assert names == [*(f"{goal.data}.jsonl.gz" for goal in PUBLIC), "posts.jsonl"]
    with_ours = (tmp_path, tmp_path / "posts.jsonl")
    with_ours[1].touch()
    chosen = _paths(Evaluation(data=with_ours, goals=True))
    assert chosen[-1] == tmp_path / "posts.jsonl"
    assert len(chosen) == len(PUBLIC) + 1
