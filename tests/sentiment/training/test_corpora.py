"""What is measured is not learned, in whichever spelling a corpus has it."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sentiment.training.corpora import data_sets, evaluated_texts, key, licences, twin_key
from sentiment.training.general import general_rows
from sentiment.training.neural.mixture import WIDE, general_texts

MEASURED = "@anna Der Zug kommt wieder nicht :) http://bahn.example/x #geduld"
TWINS = [
    MEASURED,
    "@user der zug  kommt wieder nicht:) http #geduld",
    "Der Zug kommt wieder nicht! https://kurz.example/1 geduld",
]
OTHERS = ["Der Zug kommt wieder nicht, Geduld hilft", ":(", "Danke!"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One set that is measured on, of a class that nobody learns, and one to learn."""
    sets = {
        "measured": [(MEASURED, "test"), (":)", "dev")],
        "learned": [(text, "train") for text in (*TWINS, *OTHERS, ":)")],
    }
    classes = {"measured": "C", "learned": "A"}
    index = [{"name": n, "kind": "sentiment", "licence_class": classes[n]} for n in sets]
    (tmp_path / "index.json").write_text(json.dumps(index))
    for name, rows in sets.items():
        lines = [
            json.dumps({"text": text, "label": "negative", "lang": "de", "split": split,
                        "domain": "tweets"}) for text, split in rows
        ]  # fmt: skip
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines))
    return tmp_path


def test_no_judge_learns_a_text_that_is_measured_on_in_another_spelling(folder: Path) -> None:
    sets = data_sets(folder)
    allowed = [one for one in sets if one.licence_class == "A"]
    evaluated = evaluated_texts(folder, sets)

    linear = general_rows(folder, allowed, evaluated, advance=lambda: None)
    neural, _ = general_texts(folder, allowed, WIDE, evaluated)

    assert {row.text for row in linear} == {*OTHERS}
    assert {text.text for text in neural} == {*OTHERS}


def test_twins_have_one_key_and_texts_without_words_their_own() -> None:
    assert len({twin_key(text) for text in TWINS}) == 1
    assert len({twin_key(text) for text in (*TWINS, *OTHERS, ":)")}) == 5
    assert twin_key(":)") == key(":)")
    assert len({key(text) for text in TWINS}) == 3


def test_classes_are_read_and_a_mistyped_one_is_named() -> None:
    assert licences(" B, A ,") == ("A", "B")
    for given in ("A,C", "", "a"):
        with pytest.raises(argparse.ArgumentTypeError, match="known: A, "):
            licences(given)
