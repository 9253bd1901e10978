from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.pace import LONGEST_PAUSE, due_after_defer, due_after_run, pause


@pytest.mark.parametrize(
    ("failures", "minutes"), [(0, 15), (1, 30), (2, 60), (3, 120), (6, 960), (7, 1440), (500, 1440)]
)
def test_each_failure_in_a_row_doubles_the_pause_up_to_a_day(failures: int, minutes: int) -> None:
    assert pause(900, failures=failures) == timedelta(minutes=minutes)


def test_a_source_that_is_rarer_than_daily_keeps_its_interval() -> None:
    assert pause(7 * 86400, failures=3) == timedelta(days=7)


@given(st.integers(1, 10**7), st.integers(0, 10_000), st.floats(0, 1))
def test_the_next_due_time_is_near_the_pause(interval: int, failures: int, chance: float) -> None:
    now = datetime(2026, 3, 2)  # noqa: DTZ001
    due = due_after_defer(now, interval_seconds=interval, failures=failures, chance=chance)
    wait = pause(interval, failures=failures)
    assert now + wait <= due <= now + wait * 1.05 + timedelta(microseconds=1)
    assert pause(interval, failures=failures) <= max(LONGEST_PAUSE, timedelta(seconds=interval))


def test_a_failure_moves_the_due_time_only_later(now: datetime) -> None:
    late = now + timedelta(days=3)
    assert due_after_run(
        now, due=late, interval_seconds=900, failures=1, failures_before=0
    ) == late  # fmt: skip
    assert due_after_run(
        now, due=now, interval_seconds=900, failures=1, failures_before=0
    ) == now + timedelta(minutes=30)


def test_a_recovered_source_returns_to_its_own_pace(now: datetime) -> None:
    far = now + timedelta(hours=20)
    assert due_after_run(
        now, due=far, interval_seconds=900, failures=0, failures_before=7
    ) == now + timedelta(minutes=15)


def test_an_ok_run_leaves_the_due_time_alone(now: datetime) -> None:
    due = now + timedelta(minutes=3)
    for known in (due, None):
        assert (
            due_after_run(now, due=known, interval_seconds=900, failures=0, failures_before=0)
            == known
        )


def test_a_source_is_never_due_before_the_site_wants_to_be_asked(now: datetime) -> None:
    until = now + timedelta(hours=9)
    for due in (None, now, now + timedelta(hours=1)):
        assert until == due_after_run(
            now,
            due=due,
            interval_seconds=900,
            failures=1,
            failures_before=0,
            not_before=until,
        )
