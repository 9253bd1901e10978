"""Labelled files, the broken ones too."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from core.types import Category, Sentiment, Severity
from sentiment.evaluate.labelled import DataError, find_files, read_data


def write(path: Path, *records: Any) -> Path:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    data = b"\n".join(lines)
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def row(text: str, label: str = "negative", **more: Any) -> dict[str, Any]:
    return {"text": text, "label": label, "lang": "en", "split": "test", **more}


def test_a_public_set_and_our_own_posts_are_read_alike(tmp_path: Path) -> None:
    public = write(tmp_path / "a.jsonl.gz", row("bad"), row("good", "positive", split="train"))
    own = write(
        tmp_path / "posts.jsonl",
        {
            "text": "It burned me.", "lang": "pl", "sentiment": "negative", "severity": "critical",
            "categories": ["safety"], "plain": True, "trap": None, "split": "test",
            "scenario": "1f",
        },
    )  # fmt: skip
    [data] = read_data(public)
    assert (data.name, [t.text for t in data.texts], data.skipped) == ("a", ["bad"], 0)
    [[post]] = [data.texts for data in read_data(own)]
    assert (post.severity, post.categories) == (Severity.CRITICAL, {Category.SAFETY})
    assert (post.sentiment, post.plain, post.trap) == (Sentiment.NEGATIVE, True, None)


def test_a_line_that_cannot_be_used_is_counted_and_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        b"\xef\xbb\xbf" + json.dumps(row("kept")).encode(),
        b"not json", b"\xff\xfe", b"[1]", b"", b"[" * 100_000,
        row("mixed", "mixed"), row("no label", label=None), {"label": "negative"},
        row("no such level", severity="awful"), row("categories are a number", categories=5),
        row("a label that is a list", label=["negative"]),
        {"text": "no split, no language", "label": "positive"},
    )  # fmt: skip
    [data] = read_data(path)
    assert [t.text for t in data.texts] == ["kept", "no split, no language"]
    assert data.languages == ["en", "und"]
    assert data.skipped == 10


def test_an_exported_correction_counts_for_what_the_person_said(tmp_path: Path) -> None:
    correction = {
        "text": "x", "lang": "en", "sentiment": "negative", "severity": "high",
        "categories": ["fraud"], "split": "test", "given": ["severity"],
    }  # fmt: skip
    [data] = read_data(write(tmp_path / "c.jsonl", correction))
    [text] = data.texts
    assert (text.sentiment, text.severity, text.categories) == (None, Severity.HIGH, None)


def test_the_parallel_set_stands_beside_the_test_split(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.jsonl", row("a"), row("b", split="parallel", scenario="1"))
    assert [(d.name, d.is_parallel) for d in read_data(path)] == [
        ("posts", False),
        ("posts (parallel)", True),
    ]
    assert [d.name for d in read_data(path, split="parallel")] == ["posts"]
    [everything] = read_data(path, split="all")
    assert len(everything.texts) == 2


def test_a_limit_takes_the_same_texts_of_each_language_every_time(tmp_path: Path) -> None:
    rows = [row(f"text {i}", lang=lang) for i in range(30) for lang in ("en", "pl")]
    rows.append(row("praise", "positive"))
    first = read_data(write(tmp_path / "a.jsonl", *rows), limit=3)[0]
    again = read_data(write(tmp_path / "a.jsonl", *reversed(rows)), limit=3)[0]
    assert {t.text for t in first.texts} == {t.text for t in again.texts}
    assert [t.lang for t in first.texts].count("en") == 3
    # The question stays the same whatever the limit leaves.
    assert first.answers["en"] == (Sentiment.NEGATIVE, Sentiment.POSITIVE)
    assert first.answers["pl"] == (Sentiment.NEGATIVE,)


def test_a_file_without_a_text_to_judge_says_why(tmp_path: Path) -> None:
    train = write(tmp_path / "a.jsonl", row("x", split="train"))
    with pytest.raises(DataError, match=r"no text of the split 'test'; it has train \(1\)"):
        read_data(train)
    with pytest.raises(DataError, match="none of its 1 lines has a `text` and a label"):
        read_data(write(tmp_path / "b.jsonl", row("x", "spam")))
    with pytest.raises(DataError, match="no such file"):
        find_files([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="in this folder"):
        find_files([tmp_path / "empty"])
    cut = write(tmp_path / "c.jsonl.gz", row("x" * 5000))
    cut.write_bytes(cut.read_bytes()[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        read_data(cut)


def test_a_folder_stands_for_the_data_files_in_it(tmp_path: Path) -> None:
    wanted = [write(tmp_path / name, row("x")) for name in ("a.jsonl.gz", "b.jsonl")]
    (tmp_path / "README.md").write_text("no data", encoding="utf-8")
    assert find_files([tmp_path]) == wanted
