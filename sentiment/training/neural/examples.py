"""Training examples as token ids and targets, and batches of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor

from sentiment.neural.clean import clean
from sentiment.neural.tokens import BEGIN, END, cut
from sentiment.training.neural.vocabulary import PAD

#: Tokens of one text, the two ends included: longer ones keep their head and their tail.
LENGTH: Final = 256
TAIL: Final = 96
#: The event of a text that no other text tells.
ALONE: Final = -1


@dataclass(frozen=True, slots=True)
class Example:
    """What each head is to learn from one text; a head with nothing to learn has no weight."""

    ids: tuple[int, ...]
    sentiment: tuple[float, ...] = ()  #: one share a class; empty when unknown
    severity: tuple[float, ...] = ()  #: one share a level; empty when unknown
    categories: tuple[float, ...] = ()  #: one value a category; empty when unknown
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)  #: one a head
    event: int = ALONE  #: texts of one event tell the same in several languages


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of like length as tensors; the row weights of a head are 0 where it is unknown."""

    ids: Tensor
    mask: Tensor
    sentiment: Tensor
    severity: Tensor
    categories: Tensor
    weights: Tensor  #: (3, batch), one row a head
    event: Tensor  #: (batch,)

    def to(self, device: torch.device) -> Batch:
        """The same batch where the network is."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Ids of each text as the judge reads it: cleaned, cut, between the two end pieces."""
    found: list[tuple[int, ...]] = []
    for start in range(0, len(texts), 4096):
        part = [clean(text).text for text in texts[start : start + 4096]]
        encodings = tokenizer.encode_batch_fast(part, add_special_tokens=False)
        found += [(BEGIN, *cut(encoding.ids, LENGTH, TAIL), END) for encoding in encodings]
    return found


def batches(
    examples: Sequence[Example], *, tokens: int, seed: int, pool: int = 8192
) -> Iterator[Batch]:
    """An epoch in a random order that the seed fixes, in batches of at most ``tokens`` tokens.

    Texts of like length are neighbours within a pool, so little is spent on padding; so are the
    texts of one event, nearly all of which share a batch.
    """
    shuffler = random.Random(seed)
    events = _events(examples)
    shuffler.shuffle(events)
    order = [i for event in events for i in event]
    longest = {i: max(len(examples[j].ids) for j in event) for event in events for i in event}
    groups: list[list[int]] = []
    for start in range(0, len(order), pool):
        # The longest first, so that a length has always the same number of rows: matrix
        # kernels are made anew for every shape that they have not met.
        falling = sorted(order[start : start + pool], key=lambda i: -longest[i])
        while falling:
            rows = tokens // padded(longest[falling[0]])
            groups.append(falling[:rows])
            falling = falling[rows:]
    shuffler.shuffle(groups)
    for group in groups:
        yield collate([examples[i] for i in group])


def _events(examples: Sequence[Example]) -> list[list[int]]:
    """Which examples tell one event; each of the others is an event of its own."""
    found: dict[int, list[int]] = {}
    for i, example in enumerate(examples):
        found.setdefault(ALONE - 1 - i if example.event == ALONE else example.event, []).append(i)
    return list(found.values())


def padded(length: int) -> int:
    """Up to the next eight, so that few shapes occur."""
    return -(-length // 8) * 8


def collate(examples: Sequence[Example]) -> Batch:
    """Examples padded to the longest of them."""
    length = padded(max(len(example.ids) for example in examples))
    ids = torch.full((len(examples), length), PAD)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
    return Batch(
        ids=ids,
        mask=ids != PAD,
        sentiment=_targets([example.sentiment for example in examples], 3),
        severity=_targets([example.severity for example in examples], 5),
        categories=_targets([example.categories for example in examples], 15),
        weights=_weights(examples),
        event=torch.tensor([example.event for example in examples]),
    )


def _weights(examples: Sequence[Example]) -> Tensor:
    return torch.tensor([
        [weight if target else 0.0
         for target, weight in zip((e.sentiment, e.severity, e.categories), e.weights, strict=True)]
        for e in examples
    ]).T  # fmt: skip


def _targets(rows: Sequence[tuple[float, ...]], width: int) -> Tensor:
    return torch.tensor([row or (0.0,) * width for row in rows])
