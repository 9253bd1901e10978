"""Runs of the network: any order in, the same order out, no neighbour changes anything."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment.neural.encoder import RUN_TOKENS, Encoder, batches
from sentiment.neural.model import NeuralModel

ROWS = [(0, *(4 + i % 90 for i in range(n)), 2) for n in (3, 40, 3, 0, 17, 254, 40)] + [
    (0, 9, 8, 7, 2)
]


@given(st.lists(st.integers(1, 256), max_size=60), st.integers(1, 40))
def test_a_plan_holds_each_row_once_and_pads_none(lengths: list[int], size: int) -> None:
    plan = batches(lengths, size=size)
    assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
    for batch in plan:
        assert len({lengths[i] for i in batch}) == 1
        assert len(batch) <= size
        assert len(batch) * lengths[batch[0]] <= max(RUN_TOKENS, lengths[batch[0]])
    longest = [lengths[batch[0]] for batch in plan]
    assert longest == sorted(longest, reverse=True)


def test_alone_and_among_others_the_logits_are_the_same_bits(small: NeuralModel) -> None:
    together = Encoder(small.session, threads=3, batch_size=1)(ROWS)
    alone = Encoder(small.session, threads=1, batch_size=1)
    for place, row in enumerate(ROWS):
        one = alone([row])
        for kind in ("sentiment", "severity", "category"):
            assert np.array_equal(getattr(one, kind)[0], getattr(together, kind)[place])
        assert np.array_equal(one.look[0], together.look[place])
        assert len(one.look[0]) == len(row) - 2


def test_in_larger_runs_only_rounding_differs(small: NeuralModel) -> None:
    single = Encoder(small.session, threads=1, batch_size=1)(ROWS)
    packed = Encoder(small.session, threads=1, batch_size=8)(ROWS)
    for kind in ("sentiment", "severity", "category"):
        assert np.abs(getattr(single, kind) - getattr(packed, kind)).max() < 1e-5
    for alone, among in zip(single.look, packed.look, strict=True):
        assert np.abs(alone - among).max(initial=0) < 1e-5
