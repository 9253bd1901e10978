"""The labelled posts are what their README says."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from core.types import Category, Sentiment, Severity
from sentiment.training.posts import FILES, POSTS, LabelledPost, read_posts

LANGUAGES = ("en", "pl", "lt", "hr")


@pytest.fixture(scope="module")
def ours() -> list[LabelledPost]:
    """All of them."""
    return read_posts()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_enough_posts_of_every_level(
    lang: str, ours: list[LabelledPost]
) -> None:
    for split, fewest, fewest_critical in (("train", 80, 150), ("dev", 10, 20), ("test", 20, 40)):
        levels = Counter(p.severity for p in ours if p.lang == lang and p.split == split)
        assert min(levels[level] for level in Severity) >= fewest, split
        assert levels[Severity.CRITICAL] >= fewest_critical, split


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_complaints_are_told_in_plain_facts(lang: str, ours: list[LabelledPost]) -> None:
    for split in ("dev", "test"):
        negative = [p for p in ours if p.lang == lang and p.split == split
                    and p.sentiment is Sentiment.NEGATIVE]  # fmt: skip
        assert sum(post.plain for post in negative) > len(negative) / 4


def test_parallel_posts_tell_the_same_in_four_languages(ours: list[LabelledPost]) -> None:
    events = defaultdict(list)
    for post in ours:
        if post.split == "parallel":
            events[post.scenario].append(post)
    assert len(events) >= 60
    for posts in events.values():
        assert sorted(post.lang for post in posts) == sorted(LANGUAGES)
        assert len({post.severity for post in posts}) == 1, posts[0].text


def test_who_read_second_did_not_copy_and_did_not_guess(ours: list[LabelledPost]) -> None:
    twice = [post for post in ours if len(post.readings) > 1]
    same = sum(post.readings[0].severity is post.readings[-1].severity for post in twice)
    assert len(twice) > len(ours) / 2
    assert same > 0.9 * len(twice)
    assert any(post.readings[0] != post.readings[1] for post in twice)


def test_the_later_posts_are_for_training_and_the_last_ones_for_fitting() -> None:
    *later, last = FILES[1:]
    assert {post.split for post in read_posts(*later)} == {"train"}
    assert {post.split for post in read_posts(last)} == {"dev"}


def test_no_text_occurs_twice(ours: list[LabelledPost]) -> None:
    plain = Counter(re.sub(r"\W+", " ", post.text.lower()) for post in ours)
    assert [text for text, count in plain.items() if count > 1] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_post_is_a_variation_of_another(lang: str, ours: list[LabelledPost]) -> None:
    sharing = defaultdict(list)  # posts by each four words in a row: alike ones share some
    compared = set()
    for text in (post.text for post in ours if post.lang == lang and len(post.text) > 40):
        words = text.lower().split()
        for at in range(len(words) - 3):
            others = sharing[tuple(words[at : at + 4])]
            for other in others:
                if other != text and (text, other) not in compared:
                    compared.add((text, other))
                    matcher = SequenceMatcher(None, text, other)
                    # Two upper bounds first: they take a tenth of the time.
                    assert (
                        matcher.real_quick_ratio() < 0.8
                        or matcher.quick_ratio() < 0.8
                        or matcher.ratio() < 0.8
                    ), (text, other)
            others.append(text)
    assert compared, "no two posts share four words: the comparison is broken"


def test_one_event_never_stands_on_both_sides_of_a_split(ours: list[LabelledPost]) -> None:
    splits = defaultdict(set)
    for post in ours:
        splits[post.scenario].add(post.split)
    assert {len(found) for found in splits.values()} == {1}
    assert {post.split for post in ours} == {"train", "dev", "test", "parallel"}


def test_labels_do_not_contradict_each_other(ours: list[LabelledPost]) -> None:
    for post in ours:
        if post.severity >= Severity.HIGH:
            assert post.sentiment is Sentiment.NEGATIVE, post.text
            assert post.evidence, post.text
        if post.severity >= Severity.MEDIUM:
            assert post.sentiment is not Sentiment.POSITIVE, post.text
            # The first lot of the training posts marked evidence of grave levels only.
            assert post.evidence or post.split == "train", post.text
        if post.severity is Severity.NONE:
            assert not post.categories, post.text
        if post.plain:
            assert post.sentiment is Sentiment.NEGATIVE, post.text


def test_every_category_and_many_traps_occur(ours: list[LabelledPost]) -> None:
    assert {category for post in ours for category in post.categories} == set(Category)
    for split in ("train", "dev", "test"):
        part = [post for post in ours if post.split == split]
        assert sum(post.trap is not None for post in part) > len(part) / 10, split


def test_an_evidence_that_is_not_in_the_text_is_an_error(tmp_path: Path) -> None:
    record = json.loads(POSTS.read_text("utf-8").splitlines()[0]) | {"evidence": ["not there"]}
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(ValueError, match="not there"):
        read_posts(path)


LINE = {
    "text": "It broke.\u2028Twice.", "lang": "en", "sentiment": "negative", "severity": "medium",
    "categories": ["product"], "evidence": ["It broke."], "kind": "review", "trap": None,
    "plain": True, "split": "train", "scenario": "1",
    "readings": [{"sentiment": "negative", "severity": "medium", "categories": ["product"]}],
}  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_posts_of_another_file_are_read(
    tmp_path: Path, pack: Callable[[bytes], bytes], mark: bytes
) -> None:
    file = tmp_path / "more.jsonl"
    file.write_bytes(pack(mark + (json.dumps(LINE, ensure_ascii=False) + "\n\n").encode()))

    [post] = read_posts(file)

    assert (post.text, post.severity) == (LINE["text"], Severity.MEDIUM)
    assert post.given == {"sentiment", "severity", "categories"}


@pytest.mark.parametrize(
    ("given", "level", "known"),
    [
        (["sentiment"], "medium", {"sentiment"}),
        (["severity"], "medium", {"severity"}),
        (["severity"], "none", {"severity", "categories"}),
        (["sentiment", "severity"], "none", {"sentiment", "severity", "categories"}),
    ],
)
def test_of_a_correction_only_what_a_person_said_is_known(
    tmp_path: Path, given: list[str], level: str, known: set[str]
) -> None:
    file = tmp_path / "corrections.jsonl"
    file.write_text(json.dumps(LINE | {"given": given, "severity": level}))

    [post] = read_posts(file)

    assert post.given == known


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": "awful"}, "unknown severity 'awful'"),
        ({"evidence": ["It burned."]}, "does not occur"),
        ({"readings": [None]}, "not subscriptable"),
        ({"split": "Train"}, "unknown split 'Train'"),
        ({"readings": []}, "nobody has read it"),
        ({"text": 5}, "`text` is a string"),
        ({"evidence": "It broke."}, "a list of strings"),
        (None, "no 'text'"),
    ],
)
def test_a_line_that_is_no_post_is_named(
    tmp_path: Path, change: dict[str, object] | None, told: str
) -> None:
    bad = {"body": 1} if change is None else LINE | change
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps(LINE) + "\n" + json.dumps(bad) + "\n")

    with pytest.raises(ValueError, match=rf"more\.jsonl, line 2: .*{told}"):
        read_posts(file)
