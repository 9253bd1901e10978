"""What the linear judge sees of a text: hashed n-grams, each with its place in the stream.

Pieces of words of 3 to 5 characters with the borders of words, and symbols such as emoji. The
hash is our own, so that training and run time cannot drift apart with a library. Whole words and
pairs of words were tried and made unseen posts worse: there are too few labelled posts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sentiment.linear.alphabet import SPACE, is_symbol
from sentiment.linear.stream import Stream

ORDERS: Final = (3, 4, 5)
_PRIME: Final = np.uint32(0x01000193)

Hashes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Grams:
    """One family over a batch, in stream order."""

    hashes: Hashes
    rows: npt.NDArray[np.int32]  #: ascending
    first: npt.NDArray[np.int64]  #: index into the stream of the first character
    order: int  #: how many characters each feature covers


def grams(stream: Stream) -> Iterator[Grams]:
    """All families of a batch."""
    symbol = is_symbol(stream.codes)
    letters = np.where(symbol, np.uint32(SPACE), stream.codes)
    for order in ORDERS:
        yield _pieces(letters, stream.rows, order)
    at = np.flatnonzero(symbol)
    yield Grams(_mix(stream.codes[at], 1), stream.rows[at], at, 1)


def _pieces(letters: Hashes, rows: npt.NDArray[np.int32], order: int) -> Grams:
    """Runs of characters; a space stands only at either end, as the border of a word."""
    size = max(len(letters) - order + 1, 0)
    is_space = letters == SPACE
    inner = np.zeros(size, dtype=np.bool_)
    hashes = np.zeros(size, dtype=np.uint32)
    for step in range(order):
        hashes = hashes * _PRIME + letters[step : step + size]
        if 0 < step < order - 1:
            inner |= is_space[step : step + size]
    first = np.flatnonzero(~inner)
    return Grams(_mix(hashes[first], order), rows[first], first, order)


def _mix(hashes: Hashes, seed: int) -> Hashes:
    """The finaliser of MurmurHash3, so that the low bits depend on all bits."""
    mixed = hashes ^ np.uint32((seed * 0x9E3779B9) & 0xFFFFFFFF)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed
