"""Weights of one training are not taken for those of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import GoodnameError
from sentiment.training.neural.provenance import claim, digest

MADE = {"licences": "A,B", "posts": "12ab", "epochs": 3, "heads": (1.0, 1.0, 0.4)}


def test_the_same_training_goes_on(tmp_path: Path) -> None:
    claim(tmp_path, "own", MADE)
    (tmp_path / "own.state.pt").touch()

    claim(tmp_path, "own", MADE)

    assert (tmp_path / "own.made.json").exists()


@pytest.mark.parametrize("key", MADE)
def test_another_one_is_refused_and_told_what_differs(tmp_path: Path, key: str) -> None:
    claim(tmp_path, "own", MADE)

    with pytest.raises(GoodnameError, match=rf"'own'.*\({key}\).*--work"):
        claim(tmp_path, "own", MADE | {key: "other"})

    claim(tmp_path, "own", MADE)


def test_weights_of_nobody_knows_what_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.pt").touch()

    with pytest.raises(GoodnameError, match="nobody noted what"):
        claim(tmp_path, "own", MADE)


def test_a_digest_follows_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text("a")
    first = digest(file)
    file.write_text("b")
    assert digest(file) != first
