"""The judged text of a mention, and its pieces with what justified the grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.models import Mention, PostRow, PostVersion


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; ``because`` is None where nothing spoke for the grade."""

    text: str
    because: str | None


CUT = Piece("… ", None)  #: stands where something was left out


def judged_version(
    mention: Mention, post: PostRow, versions: Sequence[PostVersion]
) -> PostRow | PostVersion:
    """What the judge read; of a post edited since, the version that the mention names."""
    return next((one for one in versions if one.version == mention.post_version), post)


def headed(title: str | None, found: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Part the pieces of a judged text into those of its title and those of its body."""
    if not title:
        return [], list(found)
    head = list(_window(found, 0, len(title), len(title)))
    total = sum(len(piece.text) for piece in found)
    body = list(_window(found, len(title) + 2, total, total))
    return head, [piece for piece in body if piece is not CUT]


def pieces(text: str, reasons: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Cut a text at the spans of its reasons; overlapping spans keep the stronger reason."""
    marks: list[str | None] = [None] * len(text)
    for reason in reversed(reasons):
        for start, end in _spans(reason, len(text)):
            marks[start:end] = [str(reason.get("because", ""))] * (end - start)
    return list(_joined(text, marks))


def excerpt(found: Sequence[Piece], *, length: int, before: int = 60) -> list[Piece]:
    """Cut pieces down to ``length`` characters around the first reason."""
    total = sum(len(piece.text) for piece in found)
    if total <= length:
        return list(found)
    first = _first_marked(found)
    start = max(0, min(first - before, total - length))
    return list(_window(found, start, start + length, total))


def _spans(reason: Mapping[str, Any], length: int) -> Iterator[tuple[int, int]]:
    for span in reason.get("spans") or ():
        if isinstance(span, Mapping):
            start, end = span.get("start"), span.get("end")
            if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length:
                yield start, end


def _joined(text: str, marks: Sequence[str | None]) -> Iterator[Piece]:
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or marks[at] != marks[start]:
            yield Piece(text[start:at], marks[start])
            start = at


def _first_marked(found: Sequence[Piece]) -> int:
    at = 0
    for piece in found:
        if piece.because is not None:
            return at
        at += len(piece.text)
    return 0


def _window(found: Sequence[Piece], start: int, end: int, total: int) -> Iterator[Piece]:
    if start > 0:
        yield CUT
    at = 0
    for piece in found:
        text = piece.text[max(0, start - at) : max(0, end - at)]
        at += len(piece.text)
        if text:
            yield Piece(text, piece.because)
    if end < total:
        yield CUT
