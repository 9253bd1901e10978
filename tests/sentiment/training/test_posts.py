"""The labelled posts are what their README says."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from core.types import Category, Sentiment, Severity
from sentiment.training.posts import POSTS, read_posts

ALL = read_posts()
LANGUAGES = ("en", "pl", "lt", "hr")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_enough_posts_of_every_level(lang: str) -> None:
    levels = Counter(post.severity for post in ALL if post.lang == lang)
    assert sum(levels.values()) >= 120
    assert min(levels[level] for level in Severity) >= 15
    assert min(levels[Severity.CRITICAL], levels[Severity.HIGH]) >= 40


def test_no_text_occurs_twice() -> None:
    plain = Counter(re.sub(r"\W+", " ", post.text.lower()) for post in ALL)
    assert [text for text, count in plain.items() if count > 1] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_post_is_a_variation_of_another(lang: str) -> None:
    texts = [post.text for post in ALL if post.lang == lang and len(post.text) > 40]
    words = [set(text.lower().split()) for text in texts]
    for i, first in enumerate(texts):
        for j in range(i):
            if len(words[i] & words[j]) > 0.5 * min(len(words[i]), len(words[j])):
                assert SequenceMatcher(None, first, texts[j]).ratio() < 0.8, (first, texts[j])


def test_one_event_never_stands_on_both_sides_of_a_split() -> None:
    splits = defaultdict(set)
    for post in ALL:
        splits[post.scenario].add(post.split)
    assert {len(found) for found in splits.values()} == {1}
    assert {post.split for post in ALL} == {"train", "dev", "test"}


def test_labels_do_not_contradict_each_other() -> None:
    for post in ALL:
        if post.severity >= Severity.HIGH:
            assert post.sentiment is Sentiment.NEGATIVE, post.text
            assert post.evidence, post.text
            assert post.categories, post.text
        if post.severity is Severity.NONE:
            assert post.sentiment is not Sentiment.NEGATIVE, post.text
            assert not post.categories, post.text
        if post.sentiment is Sentiment.POSITIVE:
            assert post.severity is Severity.NONE, post.text


def test_every_category_and_every_trap_occurs() -> None:
    assert {category for post in ALL for category in post.categories} == set(Category)
    traps = Counter(post.trap for post in ALL)
    assert set(traps) == {
        None, "negated", "refuted", "sarcasm", "scary_praise", "resolved", "other_brand"
    }  # fmt: skip
    assert min(traps.values()) >= 12


def test_an_evidence_that_is_not_in_the_text_is_an_error(tmp_path: Path) -> None:
    record = json.loads(POSTS.read_text("utf-8").splitlines()[0]) | {"evidence": ["not there"]}
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(ValueError, match="not there"):
        read_posts(path)
