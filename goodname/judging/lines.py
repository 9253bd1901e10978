"""The lines of a large input, plain or gzipped, of which one at a time is held."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, cast

from core.errors import GoodnameError

MOST_BYTES: Final = 64 << 20  #: of one line; what is longer is passed over
_PIECE: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"


class InputError(GoodnameError):
    """The input cannot be opened, or it is damaged from some place on."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank; ``data`` is None when it was too long to be held."""

    number: int  #: from 1, blank lines counted
    data: bytes | None
    digest: str = ""  #: of all bytes up to its end


class _Unpacked(gzip.GzipFile):
    """Hands out what it has unpacked before it meets damage."""

    def readinto(self, buffer: Any) -> int:
        """What one reading of the file gives; the inherited one fills the buffer or raises."""
        return self.readinto1(buffer)


class Input:
    """Reads forward only, so that a pipe will do."""

    def __init__(self, path: Path | None) -> None:
        """None is standard input."""
        self.name = "standard input" if path is None else str(path)
        try:
            raw = os.fdopen(os.dup(0), "rb") if path is None else path.open("rb")
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read: {error.strerror}") from None
        self._raw = raw
        self._bytes: BinaryIO = cast("BinaryIO", raw)
        if raw.peek(2)[:2] == _GZIP:
            self._bytes = cast("BinaryIO", io.BufferedReader(_Unpacked(fileobj=raw)))
        self._size = os.fstat(raw.fileno()).st_size if path is not None else 0
        self._hash = hashlib.blake2b(digest_size=16)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._raw.close()

    @property
    def size(self) -> int | None:
        """Bytes of the file as it lies there; None for what has no end yet."""
        return self._size or None

    @property
    def position(self) -> int:
        """How many of these bytes were taken, packed as they are; 0 for a pipe."""
        return self._raw.tell() if self._size else 0

    def __iter__(self) -> Iterator[Line]:
        """Lines that are not blank; raises ``InputError`` where the input is damaged."""
        number = 0
        try:
            while piece := self._bytes.readline(_PIECE):
                number += 1
                line = Line(number, self._whole(piece), self._hash.hexdigest())
                if line.data is None or line.data.strip():
                    yield line
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{self.name}: damaged after line {number}: {error}. The lines up to there have "
                "their rows; fetch it again: with --out FILE the same command goes on from there"
            ) from error

    def _whole(self, piece: bytes) -> bytes | None:
        """The line that begins so, or None if it is too long; the hash has it either way."""
        held: list[bytes] = []
        length = 0
        while True:
            self._hash.update(piece)
            length += len(piece)
            if length <= MOST_BYTES:
                held.append(piece)
            else:
                held.clear()
            if piece.endswith(b"\n") or not (piece := self._bytes.readline(_PIECE)):
                return b"".join(held) if length <= MOST_BYTES else None
