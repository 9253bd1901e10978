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
            ids=(BEGIN, *cut(encoding.ids, about.length, about.tail), END),
            places=tuple(cut(encoding.offsets, about.length, about.tail)),
        )
        for encoding in encodings
    ]


def cut(row: list[T], length: int, tail: int) -> list[T]:
    """The head and the tail of a row that is too long; two of ``length`` are for the two ends."""
    room = length - 2
    return row if len(row) <= room else row[: room - tail] + row[len(row) - tail :]
