"""Examples of our own posts: every head learns from them, and no epoch shows a post twice alike.

Where readers labelled a post differently, the heads learn their readings in equal parts.
"""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from tokenizers import Tokenizer

from core.types import Category, Sentiment, Severity
from sentiment.neural.tokens import UNKNOWN
from sentiment.training.neural.examples import ALONE, Example, token_ids
from sentiment.training.neural.mixture import Labelled
from sentiment.training.posts import LabelledPost, Reading

SENTIMENTS: Final = tuple(Sentiment)
LEVELS: Final = tuple(Severity)
CATEGORIES: Final = tuple(Category)

NEIGHBOUR: Final = 0.04  #: share that the levels next to the right one get: they are ordered
EVIDENCE_WEIGHT: Final = 0.3  #: what justifies a grade, as a text of its own
HOLED_SHARE: Final = 0.5  #: posts an epoch that lose some of their pieces …
MOST_HOLES: Final = 0.2  #: … at most this share: single words are easily learned by heart
JOINED_SHARE: Final = 0.12  #: posts an epoch that get a harmless post before or after them
PRAISE_WEIGHT: Final = 0.6  #: "no complaint", of public texts that praise …
CALM_WEIGHT: Final = 0.15  #: … or are neutral, among which are complaints in plain facts …
CALM_CHARS: Final = 20  #: … and long enough to say something

Spoil = Callable[[str, random.Random], str]
Label = TypeVar("Label", bound=Hashable)


def own_examples(
    posts: Sequence[LabelledPost], tokenizer: Tokenizer, *, seed: int
) -> list[Example]:
    """One epoch: each post, perhaps spoilt as people spoil their texts, and what justifies it."""
    chance = random.Random(seed)
    harmless = [p for p in posts if p.severity is Severity.NONE and not p.trap]
    texts: list[str] = []
    events = _events(posts)
    made: list[tuple[LabelledPost, float, bool, int]] = []
    for post in posts:
        text = post.text
        joined = post.severity >= Severity.MEDIUM and chance.random() < JOINED_SHARE
        if joined:
            other = chance.choice([p for p in harmless if p.lang == post.lang] or harmless).text
            text = f"{other} {text}" if chance.random() < 0.5 else f"{text} {other}"
        texts.append(spoilt(text, chance))
        made.append((post, 1.0, not joined, events.get(post.scenario, ALONE)))
        if post.evidence and len(post.text) > 40:
            texts.append(spoilt(" … ".join(post.evidence), chance))
            made.append((post, EVIDENCE_WEIGHT, post.severity >= Severity.HIGH, ALONE))
    of_sentiment = evened([post.sentiment for post in posts])
    of_level = evened([post.severity for post in posts])
    return [
        Example(
            ids=holed(ids, chance),
            sentiment=_said(post, "sentiment", _sentiment) if whole else (),
            severity=_said(post, "severity", _severity),
            categories=_said(post, "categories", _categories),
            weights=(weight * of_sentiment[post.sentiment], weight * of_level[post.severity],
                     weight),
            event=event,
        )
        for ids, (post, weight, whole, event) in zip(token_ids(tokenizer, texts), made, strict=True)
    ]  # fmt: skip


def _events(posts: Sequence[LabelledPost]) -> dict[str, int]:
    """A number for each scenario that several posts tell."""
    told = Counter(post.scenario for post in posts)
    return {name: number for number, name in enumerate(n for n in told if told[n] > 1)}


def evened(labels: Sequence[Label]) -> dict[Label, float]:
    """How much a row of each label counts, so that all labels count alike; 1 on average."""
    counts = Counter(labels)
    return {label: len(labels) / len(counts) / count for label, count in counts.items()}


def holed(ids: tuple[int, ...], chance: random.Random) -> tuple[int, ...]:
    """The ids, perhaps with some of them unknown; never the two ends."""
    if chance.random() >= HOLED_SHARE:
        return ids
    share = chance.random() * MOST_HOLES
    inner = (UNKNOWN if chance.random() < share else piece for piece in ids[1:-1])
    return (ids[0], *inner, ids[-1])


def calm_examples(texts: Sequence[Labelled], tokenizer: Tokenizer) -> list[Example]:
    """Public texts for the sentiment head; those that are not negative are no complaints either."""
    none = _severity(Reading(Sentiment.NEUTRAL, Severity.NONE, frozenset()))
    negative = SENTIMENTS.index(Sentiment.NEGATIVE)
    positive = SENTIMENTS.index(Sentiment.POSITIVE)
    return [
        Example(
            ids=ids,
            sentiment=tuple(float(text.label == i) for i in range(len(SENTIMENTS))),
            severity=none if text.label != negative and len(text.text) > CALM_CHARS else (),
            weights=(text.weight, PRAISE_WEIGHT if text.label == positive else CALM_WEIGHT, 0.0),
        )
        for text, ids in zip(texts, token_ids(tokenizer, [t.text for t in texts]), strict=True)
    ]


def spoilt(text: str, chance: random.Random) -> str:
    """The text as another hand types it, or as it is: what is meant stays."""
    for share, spoil in _SPOILS:
        if chance.random() < share:
            text = spoil(text, chance)
    return text


def _bare(text: str, _: random.Random) -> str:
    """Without accents, as on a keyboard that has none."""
    plain = unicodedata.normalize("NFD", text.replace("ł", "l").replace("Ł", "L").replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _lower(text: str, _: random.Random) -> str:
    return text.lower()


def _upper(text: str, _: random.Random) -> str:
    return text.upper()


def _typos(text: str, chance: random.Random) -> str:
    """Two neighbours swapped or a letter lost, in about one word of twelve."""
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and chance.random() < 1 / 12:
            at = chance.randrange(1, len(word) - 1)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[i] = swapped if chance.random() < 0.5 else word[:at] + word[at + 1 :]
    return " ".join(words)


def _unpointed(text: str, _: random.Random) -> str:
    """Without commas and full stops."""
    return text.translate(str.maketrans("", "", ".,;:"))


_SPOILS: Final[tuple[tuple[float, Spoil], ...]] = (
    (0.20, _bare), (0.12, _lower), (0.03, _upper), (0.12, _typos), (0.08, _unpointed),
)  # fmt: skip


def _said(
    post: LabelledPost, label: str, target: Callable[[Reading], tuple[float, ...]]
) -> tuple[float, ...]:
    """The mean of the readings; nothing where no person gave that label."""
    if label not in post.given:
        return ()
    columns = zip(*(target(reading) for reading in post.readings), strict=True)
    return tuple(sum(column) / len(post.readings) for column in columns)


def _sentiment(reading: Reading) -> tuple[float, ...]:
    return tuple(float(reading.sentiment is sentiment) for sentiment in SENTIMENTS)


def _severity(reading: Reading) -> tuple[float, ...]:
    at = LEVELS.index(reading.severity)
    near = [level for level in (at - 1, at + 1) if 0 <= level < len(LEVELS)]
    return tuple(
        1 - NEIGHBOUR * len(near) if level == at else NEIGHBOUR * (level in near)
        for level in range(len(LEVELS))
    )


def _categories(reading: Reading) -> tuple[float, ...]:
    return tuple(float(category in reading.categories) for category in CATEGORIES)
