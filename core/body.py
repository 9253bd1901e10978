"""The body of an answer, unpacked and never larger than agreed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast

import httpx

from core.errors import GoodnameError

PIECE_BYTES = 65_536


class BodyTooLarge(GoodnameError):  # noqa: N818 - reads as a fact in logs and rows
    """An answer has more bytes, packed or unpacked, than we are ready to read."""


class CappedBody(httpx.SyncByteStream):
    """Unpacks piece by piece and counts, so that a bomb costs its cap and not its size.

    httpx itself unpacks each read as a whole: 64 kB may become gigabytes before it can be counted.
    """

    def __init__(self, packed: httpx.SyncByteStream, *, coding: str, max_bytes: int) -> None:
        self._packed = packed
        self._coding = coding
        self._max_bytes = max_bytes

    @classmethod
    def cap(cls, response: httpx.Response, max_bytes: int) -> httpx.Response:
        """The same answer with a body that unpacks itself and may be read up to ``max_bytes``."""
        coding = response.headers.pop("content-encoding", "identity").strip().lower()
        if coding != "identity":
            response.headers.pop("content-length", None)
        packed = cast("httpx.SyncByteStream", response.stream)
        response.stream = cls(packed, coding=coding, max_bytes=max_bytes)
        return response

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._unpacked(self._counted(self._packed)):
            size += len(piece)
            self._check(size)
            yield piece

    def close(self) -> None:
        self._packed.close()

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            self._check(size)
            yield piece

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise BodyTooLarge(f"the answer has more than {self._max_bytes} bytes")

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        if self._coding in ("gzip", "x-gzip"):
            return _inflated(pieces, zlib.MAX_WBITS | 16)
        if self._coding == "deflate":
            return _deflated(pieces)
        if self._coding in ("identity", ""):
            return pieces
        # We asked for gzip only; a coding that was not asked for may be a bomb of any ratio.
        raise httpx.DecodingError(f"the answer is packed as {self._coding!r}, which was not asked")


def _inflated(pieces: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(window_bits)
    has_begun = False
    for piece in pieces:
        left = piece
        while left:
            if unpacker.eof:
                left = left.lstrip(b"\0")  # padding, or else another member follows
                if not left:
                    break
                unpacker = zlib.decompressobj(window_bits)
            has_begun = True
            try:
                yield unpacker.decompress(left, PIECE_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(f"the answer cannot be unpacked: {error}") from error
            left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    yield unpacker.flush()
    if has_begun and not unpacker.eof:
        raise httpx.DecodingError("the answer ends before its packed content does")


def _deflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # "deflate" means zlib, and many servers send it without its header of two bytes.
    start = b""
    for piece in pieces:
        start += piece
        if len(start) > 1:
            break
    has_header = len(start) > 1 and start[0] & 0x0F == 8 and int.from_bytes(start[:2]) % 31 == 0
    yield from _inflated(chain([start], pieces), zlib.MAX_WBITS * (1 if has_header else -1))
