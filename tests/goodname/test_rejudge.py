"""What `goodname rejudge` tells a person."""

from __future__ import annotations

import pytest

from goodname.rejudge import left_out


@pytest.mark.parametrize(
    ("counts", "outdated", "told"),
    [
        ({}, 0, None),
        ({"words-2": 5}, 0, None),
        ({"words-1": 3, "words-2": 5}, 3, None),
        ({"words-1": 3, "words-2": 5}, 2, "1 mention could not be judged by it and keeps its"),
        ({"words-0": 900, "words-1": 300}, 0, "1,200 mentions could not be judged by it and keep"),
    ],
)
def test_mentions_that_broke_the_judge_are_not_called_up_to_date(
    counts: dict[str, int], outdated: int, told: str | None
) -> None:
    found = left_out(counts, outdated, judge="words-2")
    assert (found is None) == (told is None)
    assert (found or "").startswith(told or "")
