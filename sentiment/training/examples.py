"""What the heads learn from: our own posts in full, samples of public sets where they can say.

A head that a row knows nothing about gets the weight 0 there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.types import Category, Sentiment, Severity
from sentiment.linear.model import (
    CATEGORIES,
    CATEGORY_HEADS,
    HEADS,
    LEVEL_HEADS,
    SENTIMENT_HEADS,
    SENTIMENTS,
)
from sentiment.training.corpora import Row
from sentiment.training.posts import LabelledPost

EVIDENCE_WEIGHT = 0.2  #: a part that justifies the grade, as a text of its own
REST_WEIGHT = 0.2  #: the post without that part is less than high
PUBLIC_WEIGHT = 0.05
#: Ordinary texts are no grave complaints: this halves the needless alarms on them, for nothing.
PUBLIC_GRAVE_WEIGHT = 0.2
TRAP_WEIGHT = 0.1  #: pieces of words cannot tell a trap from the real thing: it only confuses

Floats = npt.NDArray[np.float64]
#: Which heads a label of a post teaches: of a correction nobody gave them all.
_HEADS_OF = {
    "sentiment": SENTIMENT_HEADS, "severity": LEVEL_HEADS, "categories": CATEGORY_HEADS,
}  # fmt: skip
_GRAVE_HEADS = slice(LEVEL_HEADS.stop - 2, LEVEL_HEADS.stop)  # at least high, critical


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows for the heads; ``owner`` is the index of the post a row was made of, else -1."""

    texts: list[str]
    targets: Floats
    weights: Floats
    owner: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Example:
    text: str
    target: Floats
    weight: Floats
    owner: int


def examples(posts: Sequence[LabelledPost], public: Iterable[Row]) -> Examples:
    """Posts first and in order, then what is made of them, then the public rows."""
    share = _shares(posts)
    rows = [_whole(post, share[post.sentiment], owner) for owner, post in enumerate(posts)]
    for owner, post in enumerate(posts):
        rows += _parts(post, owner)
    rows += [_public(row) for row in public]
    return Examples(
        texts=[row.text for row in rows],
        targets=np.array([row.target for row in rows]),
        weights=np.array([row.weight * _trust(row, posts) for row in rows]),
        owner=np.array([row.owner for row in rows]),
    )


def target_of(sentiment: Sentiment, severity: Severity, categories: Iterable[Category]) -> Floats:
    """One value a head, 0 or 1."""
    target = np.zeros(HEADS)
    target[SENTIMENTS.index(sentiment)] = 1
    target[LEVEL_HEADS.start : LEVEL_HEADS.start + int(severity)] = 1
    for category in categories:
        target[CATEGORY_HEADS.start + CATEGORIES.index(category)] = 1
    return target


def _shares(posts: Sequence[LabelledPost]) -> dict[Sentiment, float]:
    """Weights that make the three sentiments count alike: most of our posts are complaints."""
    told = Counter(post.sentiment for post in posts if "sentiment" in post.given)
    return {s: told.total() / len(SENTIMENTS) / max(told[s], 1) for s in SENTIMENTS}


def _trust(row: _Example, posts: Sequence[LabelledPost]) -> Floats:
    """How far each head may learn from the row."""
    trust = np.ones(HEADS)
    if row.owner >= 0:
        post = posts[row.owner]
        for label, heads in _HEADS_OF.items():
            trust[heads] = label in post.given
        trust *= TRAP_WEIGHT if post.trap else 1.0
    return trust


def _whole(post: LabelledPost, share: float, owner: int) -> _Example:
    weight = np.ones(HEADS)
    weight[: len(SENTIMENTS)] = share
    return _Example(
        post.text, target_of(post.sentiment, post.severity, post.categories), weight, owner
    )


def _parts(post: LabelledPost, owner: int) -> Iterable[_Example]:
    target = target_of(post.sentiment, post.severity, post.categories)
    for part in post.evidence:
        weight = np.full(HEADS, EVIDENCE_WEIGHT)
        # Of several categories the part shows one, and nobody wrote down which.
        weight[CATEGORY_HEADS] = EVIDENCE_WEIGHT / 2 if len(post.categories) == 1 else 0.0
        yield _Example(part, target, weight, owner)
    if post.evidence and post.severity >= Severity.HIGH:
        rest = post.text
        for part in post.evidence:
            rest = rest.replace(part, " ")
        weight = np.zeros(HEADS)
        weight[_GRAVE_HEADS] = REST_WEIGHT
        yield _Example(rest, np.zeros(HEADS), weight, owner)


def _public(row: Row) -> _Example:
    """Sentiment as labelled; and hardly a text of a general set is a grave complaint."""
    if row.label in ("complaint", "not_complaint") or row.data_set == "cmp_en_cfpb":
        return _complaint(row)
    sentiment = Sentiment(row.label)
    weight = np.full(HEADS, PUBLIC_WEIGHT)
    weight[_GRAVE_HEADS] = PUBLIC_GRAVE_WEIGHT
    target = target_of(sentiment, Severity.NONE, ())
    if sentiment is Sentiment.NEGATIVE:
        weight[CATEGORY_HEADS] = 0.0
        weight[LEVEL_HEADS.start + 1] = 0.0
        if row.domain == "review":
            target[LEVEL_HEADS.start] = 1
        else:
            weight[LEVEL_HEADS.start] = 0.0
    return _Example(row.text, target, weight, -1)


def _complaint(row: Row) -> _Example:
    """Complaints to support and to an authority: at least medium; how grave, nobody says."""
    target, weight = np.zeros(HEADS), np.zeros(HEADS)
    if row.label == "not_complaint":
        weight[LEVEL_HEADS.start + 1 :] = PUBLIC_WEIGHT
        weight[_GRAVE_HEADS] = PUBLIC_GRAVE_WEIGHT
    else:
        target[SENTIMENTS.index(Sentiment.NEGATIVE)] = 1
        target[LEVEL_HEADS.start : LEVEL_HEADS.start + 2] = 1
        weight[: LEVEL_HEADS.start + 2] = PUBLIC_WEIGHT
    return _Example(row.text, target, weight, -1)
