"""Weights of one training are not taken for those of another."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import GoodnameError
from sentiment.training.neural.provenance import claim, digest, posts_digest
from sentiment.training.posts import POSTS, read_posts

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


def test_a_digest_of_posts_follows_what_any_of_them_is_labelled() -> None:
    posts = [post for post in read_posts(POSTS) if post.split == "train"][:50]
    spread = next(i for i, post in enumerate(posts) if len(post.categories) > 1)
    other = replace(posts[spread], categories=frozenset([*posts[spread].categories][:1]))

    digests = [
        posts_digest(posts),
        posts_digest(posts[:-1]),
        posts_digest([*posts[:spread], other, *posts[spread + 1 :]]),
    ]

    assert posts_digest([replace(post) for post in posts]) == digests[0]
    assert len(set(digests)) == len(digests)


def test_a_digest_of_posts_is_the_same_in_another_process() -> None:
    """The order of a set of words differs from process to process."""
    told = "from sentiment.training.posts import *;"
    told += "from sentiment.training.neural.provenance import *;"
    told += "print(posts_digest(read_posts(POSTS)[:200]))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", told], env=os.environ | {"PYTHONHASHSEED": seed},
            check=True, capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
