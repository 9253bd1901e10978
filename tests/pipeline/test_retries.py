"""The schedule of retries."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from pipeline.retries import SCHEDULE, wait_before_next

KEY = UUID(int=7)
MINUTE, HOUR = 60, 3600
WAITS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]


@pytest.mark.parametrize(("attempts", "seconds"), list(enumerate(WAITS, start=1)))
def test_the_waits_are_those_of_the_standard(attempts: int, seconds: int) -> None:
    waits = [wait_before_next(attempts=attempts, key=uuid4()) for _ in range(200)]
    figures = [wait.total_seconds() for wait in waits if wait is not None]
    assert len(figures) == 200
    assert min(figures) >= 0.9 * seconds
    assert max(figures) <= 1.1 * seconds
    assert max(figures) - min(figures) > 0.1 * seconds


def test_after_ten_attempts_it_gives_up() -> None:
    assert len(SCHEDULE) == 10
    assert wait_before_next(attempts=10, key=KEY) is None
    assert wait_before_next(attempts=10, key=KEY, retry_after=timedelta(hours=1)) is None


def test_a_receiver_may_ask_for_more_and_never_for_less() -> None:
    plain = wait_before_next(attempts=2, key=KEY)
    assert plain is not None
    ask = timedelta
    assert wait_before_next(attempts=2, key=KEY, retry_after=ask(hours=1)) == ask(hours=1)
    assert wait_before_next(attempts=2, key=KEY, retry_after=ask(seconds=1)) == plain
    assert wait_before_next(attempts=2, key=KEY, retry_after=ask(days=9)) == ask(days=1)
