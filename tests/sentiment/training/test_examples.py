"""What the heads of the linear judge learn from a post, and how much."""

from __future__ import annotations

import dataclasses

from core.types import Category, Sentiment, Severity
from sentiment.linear.model import CATEGORY_HEADS, LEVEL_HEADS, SENTIMENT_HEADS
from sentiment.training.examples import examples
from sentiment.training.posts import LabelledPost

BURNED = LabelledPost(
    text="The kettle burned my hand. Nice box.",
    lang="en",
    sentiment=Sentiment.NEGATIVE,
    severity=Severity.CRITICAL,
    categories=frozenset({Category.SAFETY}),
    evidence=("burned my hand",),
    kind="review",
    scenario="1a",
    trap=None,
    plain=False,
    split="train",
    readings=(),
)


def test_a_label_that_nobody_gave_teaches_its_heads_nothing() -> None:
    corrected = dataclasses.replace(BURNED, given=frozenset({"severity"}))

    learned = examples([corrected], public=())

    assert learned.texts[0] == BURNED.text
    assert len(learned.texts) > 1
    assert not learned.weights[:, SENTIMENT_HEADS].any()
    assert not learned.weights[:, CATEGORY_HEADS].any()
    assert learned.weights[0, LEVEL_HEADS].all()


def test_a_post_of_ours_teaches_every_head_and_a_trap_less() -> None:
    trapped = dataclasses.replace(BURNED, trap="sounds nice", scenario="1b")

    learned = examples([BURNED, trapped], public=())

    plain, trap = learned.weights[:2]
    assert plain.all()
    assert (trap > 0).all()
    assert (trap < plain).all()
