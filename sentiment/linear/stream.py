"""Texts become one long row of folded codes, each knowing its text and its place in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sentiment.linear.alphabet import DROP, SPACE, TABLE_SIZE, fold_table

HEAD_CHARS: Final = 8_000  #: of a longer text, this much of the start is read …
TAIL_CHARS: Final = 4_000  #: … and this much of the end, where people say what they want

# Addresses, handles and tags say nothing about the tone, but a lot about the source.
_MARKUP: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]{1,2000}|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}"
    r"|@\w{1,64}|</?[a-zA-Z][^<>]{0,500}>|&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,10});"
)
_MARKUP_SIGNS: Final = re.compile(r"https?://|www\.|[@<&]")


@dataclass(frozen=True, slots=True)
class Stream:
    """Folded codes of a batch; every text starts and ends with a space of its own."""

    codes: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.int32]  #: index of the text that a code belongs to
    offsets: npt.NDArray[np.int32]  #: place of the code in its text; -1 for the added spaces
    count: int  #: number of texts, also those without a single code


def read(texts: Sequence[str]) -> Stream:
    """Fold texts into one stream; lengths beyond ``HEAD_CHARS + TAIL_CHARS`` are cut inside."""
    pieces = [_codes(text) for text in texts]
    lengths = np.fromiter((len(piece) + 2 for piece in pieces), dtype=np.int64, count=len(pieces))
    total = int(lengths.sum())
    starts = np.cumsum(lengths) - lengths
    codes = np.full(total, SPACE, dtype=np.uint32)
    offsets = np.full(total, -1, dtype=np.int32)
    for piece, text, start in zip(pieces, texts, starts.tolist(), strict=True):
        codes[start + 1 : start + 1 + len(piece)] = piece
        offsets[start + 1 : start + 1 + len(piece)] = _places(len(piece), len(text))
    rows = np.repeat(np.arange(len(pieces), dtype=np.int32), lengths)
    return _squeeze(Stream(codes, rows, offsets, len(pieces)))


def _codes(text: str) -> npt.NDArray[np.uint32]:
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = text[:HEAD_CHARS] + text[-TAIL_CHARS:]
    if _MARKUP_SIGNS.search(text):
        text = _MARKUP.sub(lambda found: " " * len(found.group()), text)
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded = fold_table()[np.minimum(raw, TABLE_SIZE - 1)]
    return np.asarray(folded, dtype=np.uint32)


def _places(kept: int, length: int) -> npt.NDArray[np.int32]:
    places = np.arange(kept, dtype=np.int32)
    if kept < length:
        places[HEAD_CHARS:] += length - kept
    return places


def _squeeze(stream: Stream) -> Stream:
    """Drop what vanishes, all but one of several spaces, and all but two of a repeated letter."""
    stays = stream.codes != DROP
    codes, rows, offsets = stream.codes[stays], stream.rows[stays], stream.offsets[stays]
    repeats = np.zeros(len(codes), dtype=np.bool_)
    repeats[1:] = codes[1:] == codes[:-1]
    third = repeats.copy()
    third[1:] &= repeats[:-1]
    # Borders of texts stay: their spaces are marked by a negative offset.
    stays = ~(((codes == SPACE) & repeats & (offsets >= 0)) | third) | (offsets < 0)
    return Stream(codes[stays], rows[stays], offsets[stays], stream.count)
