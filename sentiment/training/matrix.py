"""Texts become the matrix that the linear judge will see: the same hashes, the same norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sentiment.linear.ngrams import grams
from sentiment.linear.stream import read

BATCH = 512


def matrix(
    texts: Sequence[str], *, bits: int, advance: Callable[[int], None] = lambda _: None
) -> sparse.csr_matrix:
    """Counts over the square root of their number, one row a text, ``2**bits`` columns."""
    parts = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        parts.append(_counts(batch, bits))
        advance(len(batch))
    if not parts:
        return sparse.csr_matrix((0, 1 << bits), dtype=np.float32)
    return sparse.vstack(parts, format="csr", dtype=np.float32)


def _counts(texts: Sequence[str], bits: int) -> sparse.csr_matrix:
    families = list(grams(read(texts)))
    rows = np.concatenate([family.rows for family in families])
    columns = np.concatenate([family.hashes for family in families]) & np.uint32((1 << bits) - 1)
    totals = np.bincount(rows, minlength=len(texts))
    values: npt.NDArray[np.float32] = (1.0 / np.sqrt(totals[rows])).astype(np.float32)
    shape = (len(texts), 1 << bits)
    return sparse.csr_matrix((values, (rows, columns.astype(np.int64))), shape=shape)
