"""Cleaned texts as the ids that the encoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from tokenizers import Tokenizer

from sentiment.neural.about import About
from sentiment.neural.clean import Cleaned

T = TypeVar("T")

BEGIN: Final = 0
END: Final = 2
UNKNOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the encoder reads of one text; ``places[i]`` is where ``ids[i + 1]`` stands in it."""

    ids: tuple[int, ...]  #: between the two ends; not longer than the encoder reads
    places: tuple[tuple[int, int], ...]  #: start and end in the cleaned text


def tokenise(texts: Sequence[Cleaned], tokenizer: Tokenizer, about: About) -> list[Tokens]:
    """Each text's tokens; of one that is too long, those of its head and its tail."""
    encodings = tokenizer.encode_batch(
        [cleaned.text for cleaned in texts], add_special_tokens=False
    )
    return [
        Tokens(
            ids=(BEGIN, *_cut(encoding.ids, about), END),
            places=tuple(_cut(encoding.offsets, about)),
        )
        for encoding in encodings
    ]


def _cut(row: list[T], about: About) -> list[T]:
    room = about.length - 2
    return row if len(row) <= room else row[: room - about.tail] + row[len(row) - about.tail :]
