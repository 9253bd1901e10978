"""Posts of a few letters and networks of a few numbers, for what would take a night in earnest."""

from __future__ import annotations

import dataclasses

from core.types import Category, Sentiment, Severity
from sentiment.training.neural.encoder import Shape
from sentiment.training.neural.mixture import Labelled
from sentiment.training.neural.vocabulary import tokenizer_of
from sentiment.training.posts import LabelledPost, Reading

Label = tuple[Sentiment, Severity, frozenset[Category]]

GRAVE: Label = (Sentiment.NEGATIVE, Severity.CRITICAL, frozenset({Category.SAFETY}))
MILD: Label = (Sentiment.NEGATIVE, Severity.LOW, frozenset({Category.SERVICE}))
DRY: Label = (Sentiment.NEUTRAL, Severity.NONE, frozenset())
GLAD: Label = (Sentiment.POSITIVE, Severity.NONE, frozenset())

LETTERS = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz.,"]
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *LETTERS]
TOKENIZER = tokenizer_of(PIECES)
SMALL = Shape(vocabulary=len(PIECES), layers=2, hidden=24, heads=2, feed_forward=48,
              positions=512)  # fmt: skip


def post(text: str, label: Label = DRY, **more: object) -> LabelledPost:
    """A post to learn from that one reader has read."""
    plain = LabelledPost(
        text=text, lang="en", sentiment=label[0], severity=label[1], categories=label[2],
        evidence=(), kind="forum", scenario=text, trap=None, plain=False, split="train",
        readings=(Reading(*label),),
    )  # fmt: skip
    return dataclasses.replace(plain, **more)  # type: ignore[arg-type]


def public(text: str, sentiment: int = 1) -> Labelled:
    """A text of a public set; ``sentiment`` is its index."""
    return Labelled(text=text, label=sentiment, weight=1.0, lang="en", data_set="far")
