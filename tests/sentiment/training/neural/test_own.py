"""What an epoch of our own posts shows, and how much of it counts."""

from __future__ import annotations

import dataclasses
import random

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from core.types import Category, Sentiment, Severity
from sentiment.neural.tokens import UNKNOWN
from sentiment.training.neural.encoder import Network, Shape
from sentiment.training.neural.examples import Example
from sentiment.training.neural.mixture import Labelled
from sentiment.training.neural.own import (
    CALM_WEIGHT,
    PRAISE_WEIGHT,
    SENTIMENTS,
    calm_examples,
    evened,
    holed,
    own_examples,
)
from sentiment.training.neural.stage import Stage, parameters
from sentiment.training.posts import POSTS, LabelledPost, Reading, read_posts
from tests.sentiment.training.neural.small import TOKENIZER


def test_labels_count_alike_whatever_their_number() -> None:
    labels = ["a"] * 6 + ["b"] * 3 + ["c"]

    weight = evened(labels)

    sums = {label: labels.count(label) * weight[label] for label in "abc"}
    assert sums["a"] == pytest.approx(sums["b"]) == pytest.approx(sums["c"])
    assert sum(sums.values()) == pytest.approx(len(labels))


def test_holes_are_few_and_spare_the_ends() -> None:
    ids = (0, *range(10, 210), 2)
    chance = random.Random(1)

    many = [holed(ids, chance) for _ in range(200)]

    whole = sum(one == ids for one in many)
    assert 60 < whole < 140
    for one in many:
        assert (one[0], one[-1], len(one)) == (0, 2, len(ids))
        assert all(new in (old, UNKNOWN) for old, new in zip(ids, one, strict=True))
        assert one.count(UNKNOWN) < 0.35 * len(ids)


def test_public_praise_is_no_complaint_and_neutral_texts_are_hardly_one() -> None:
    said = [
        (Sentiment.POSITIVE, "lovely staff, we will come back"),
        (Sentiment.NEUTRAL, "the train was twenty minutes late"),
        (Sentiment.NEGATIVE, "never again, they lost all of it"),
        (Sentiment.POSITIVE, "fine"),
    ]
    texts = [Labelled(text, SENTIMENTS.index(of), 0.5, "en", "reviews") for of, text in said]

    praise, neutral, blame, short = calm_examples(texts, TOKENIZER)

    assert (praise.weights, neutral.weights) == ((0.5, PRAISE_WEIGHT, 0.0), (0.5, CALM_WEIGHT, 0.0))
    assert praise.severity == neutral.severity
    assert max(praise.severity) == praise.severity[0]
    assert blame.severity == short.severity == ()
    assert [one.sentiment.index(1.0) for one in (praise, neutral, blame, short)] == [2, 1, 0, 2]


def _examples(seed: int) -> list[Example]:
    posts = [post for post in read_posts(POSTS) if post.split == "train"][:300]
    return own_examples(posts, TOKENIZER, seed=seed)


def test_two_epochs_show_a_post_in_two_ways_and_an_epoch_is_the_same_again() -> None:
    first, second = _examples(1), _examples(2)

    assert _examples(1) == first
    differ = sum(a.ids != b.ids for a, b in zip(first, second, strict=False))
    assert differ > len(first) / 3


def test_heads_learn_the_readings_in_equal_parts() -> None:
    one = Reading(Sentiment.NEGATIVE, Severity.MEDIUM, frozenset({Category.BILLING}))
    other = Reading(Sentiment.NEUTRAL, Severity.LOW, frozenset({Category.SERVICE}))
    template = next(
        post for post in read_posts(POSTS) if post.split == "train" and not post.evidence
    )
    post = _with_readings(template, (one, other))

    [example] = own_examples([post], TOKENIZER, seed=1)

    assert example.sentiment == (0.5, 0.5, 0.0)
    assert sum(example.severity) == pytest.approx(1)
    assert example.severity[1] == example.severity[2] > 0.4
    shares = dict(zip(Category, example.categories, strict=True))
    assert {c: v for c, v in shares.items() if v} == {Category.BILLING: 0.5, Category.SERVICE: 0.5}


def _with_readings(post: LabelledPost, readings: tuple[Reading, ...]) -> LabelledPost:
    return dataclasses.replace(post, readings=readings)


def test_low_layers_learn_slower_and_words_slowest() -> None:
    network = Network(Shape(vocabulary=9, layers=3, hidden=8, heads=2, feed_forward=8, positions=4))
    stage = Stage(name="x", epochs=1, rate=1.0, head_rate=7.0, fall=0.5)

    rate = {id(p): group["lr"] for group in parameters(network, stage) for p in group["params"]}

    def of(name: str) -> float:
        return rate[id(network.get_parameter(name))]

    assert of("layers.2.up.weight") == 1.0
    assert (of("layers.1.up.weight"), of("layers.0.norm.bias")) == (0.5, 0.25)
    assert of("word.weight") == of("position.weight") == 0.125
    assert of("severity.out.weight") == of("sentiment.look.bias") == 7.0
    assert len(rate) == len(list(network.parameters()))


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"sentiment"}, (True, False, False)),
        ({"severity"}, (False, True, False)),
        ({"sentiment", "severity", "categories"}, (True, True, True)),
    ],
)
def test_what_no_person_said_is_not_learned(
    given: set[str], known: tuple[bool, bool, bool]
) -> None:
    post = dataclasses.replace(_examples_post(), given=frozenset(given))

    for example in own_examples([post], TOKENIZER, seed=1):
        assert bool(example.sentiment) <= known[0]
        assert (bool(example.severity), bool(example.categories)) == known[1:]


def _examples_post() -> LabelledPost:
    return next(p for p in read_posts(POSTS) if p.split == "train" and len(p.evidence) > 1)
