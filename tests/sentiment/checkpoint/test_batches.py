"""Which texts run together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentiment.checkpoint.batches import ALIKE, batches


@given(
    st.lists(st.integers(1, 300), max_size=80), st.integers(1, 20), st.integers(1, 2_000)
)  # fmt: skip
def test_every_text_runs_once_with_few_others_of_its_length(
    lengths: list[int], size: int, most: int
) -> None:
    plan = batches(lengths, size=size, most_tokens=most)
    assert sorted(i for run in plan for i in run) == list(range(len(lengths)))
    for run in plan:
        longest = max(lengths[i] for i in run)
        assert len(run) <= size
        assert len(run) == 1 or longest * len(run) <= most
        assert all(lengths[i] >= ALIKE * longest for i in run)


def test_texts_of_one_length_fill_their_run() -> None:
    assert [len(run) for run in batches([10] * 10, size=4, most_tokens=1_000)] == [4, 4, 2]
