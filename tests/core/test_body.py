"""Bodies that are larger than they look, or not what they claim to be."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.body import BodyTooLarge, CappedBody


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKINGS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("identity", bytes),
    ("gzip", gzip.compress),
    ("GZip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
)


@pytest.mark.parametrize(("name", "pack"), PACKINGS)
@pytest.mark.parametrize("piece", [1, 7, 65_536])
def test_a_body_up_to_the_cap_is_read_and_one_byte_more_is_not(
    name: str, pack: Callable[[bytes], bytes], piece: int
) -> None:
    body = bytes(range(250)) * 4
    assert answer(name, pack(body), max_bytes=1000, piece=piece).read() == body
    with pytest.raises(BodyTooLarge, match="1000"):
        answer(name, pack(body + b"x"), max_bytes=1000, piece=piece).read()


def test_bytes_that_unpack_to_nothing_are_counted_too() -> None:
    empty = gzip.compress(b"") * 100
    assert answer("gzip", empty, max_bytes=len(empty)).read() == b""
    with pytest.raises(BodyTooLarge):
        answer("gzip", empty, max_bytes=len(empty) - 1).read()


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_bomb_costs_its_cap_and_not_its_size(name: str) -> None:
    packed = packed_zeros(100_000_000, zlib.MAX_WBITS | (16 if name == "gzip" else 0))
    assert len(packed) < 125_000
    bomb = answer(name, packed, max_bytes=1_000_000)
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        bomb.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_packed_body_in_several_members_is_read_whole() -> None:
    body = gzip.compress(b"first ") + gzip.compress(b"second") + b"\0" * 7
    for piece in (1, 5, 1000):
        assert answer("gzip", body, piece=piece).read() == b"first second"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", gzip.compress(b"cut off" * 100, mtime=0)[:-12]),
        ("gzip", b"not packed at all"),
        ("gzip", gzip.compress(b"x", mtime=0) + b"garbage"),
        ("deflate", b"not packed at all"),
        ("deflate", zlib.compress(b"cut off" * 100)[:-9]),
        ("br", b"\x0b\x02\x80hello\x03"),
        ("zstd", b"(\xb5/\xfd"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"twice", mtime=0), mtime=0)),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_a_decoding_error(name: str, body: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        answer(name, body).read()


@pytest.mark.parametrize("name", ["gzip", "deflate", "identity", ""])
def test_an_answer_without_a_body_may_claim_to_be_packed(name: str) -> None:
    assert answer(name, b"").read() == b""


def test_headers_speak_of_the_body_that_is_read() -> None:
    packed = answer("gzip", gzip.compress(b"hello"))
    assert "content-encoding" not in packed.headers
    assert "content-length" not in packed.headers
    assert answer("identity", b"hello").headers["content-length"] == "5"


class Pieces(httpx.SyncByteStream):
    """A body that arrives in pieces of a given size."""

    def __init__(self, body: bytes, size: int) -> None:
        self._body, self._size = body, size

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), self._size):
            yield self._body[start : start + self._size]


def answer(
    packing: str, body: bytes, *, max_bytes: int = 100_000, piece: int = 65_536
) -> httpx.Response:
    headers = {"Content-Encoding": packing, "Content-Length": str(len(body))}
    response = httpx.Response(200, headers=headers, stream=Pieces(body, piece))
    return CappedBody.cap(response, max_bytes)


def packed_zeros(size: int, window_bits: int) -> bytes:
    packer = zlib.compressobj(wbits=window_bits)
    block = b"\0" * 1_000_000
    parts = [packer.compress(block) for _ in range(size // len(block))]
    return b"".join(parts) + packer.flush()
