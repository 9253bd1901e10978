"""How often a source is crawled: its interval, stretched while it fails. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: A failing source is tried at least this often (or at its own interval, when that is longer).
LONGEST_PAUSE = timedelta(hours=24)
#: Due times are pushed back by up to this share, so that sources drift apart.
JITTER = 0.05


def pause(interval_seconds: int, *, failures: int) -> timedelta:
    """The wait between two runs: doubled with each failure in a row, up to a day."""
    interval = timedelta(seconds=interval_seconds)
    if interval >= LONGEST_PAUSE:
        return interval
    # 17 doublings make a day of any second; more would overflow.
    doubled: timedelta = interval * 2 ** min(failures, 17)
    return min(doubled, LONGEST_PAUSE)


def due_after_defer(
    now: datetime, *, interval_seconds: int, failures: int, chance: float
) -> datetime:
    """When a source is due again that was just put into the queue; ``chance`` in 0..1."""
    return now + pause(interval_seconds, failures=failures) * (1 + JITTER * chance)


def due_after_run(
    now: datetime,
    *,
    due: datetime | None,
    interval_seconds: int,
    failures: int,
    failures_before: int,
    not_before: datetime | None = None,
) -> datetime | None:
    """Correct a due time by how the run went; None stays due at once, unless it failed.

    A failure can only move it later, a recovery only earlier, and never before ``not_before``.
    """
    if failures:
        late = now + pause(interval_seconds, failures=failures)
        due = max(due, late) if due is not None else late
    elif failures_before:
        soon = now + pause(interval_seconds, failures=0)
        due = min(due, soon) if due is not None else soon
    if not_before is not None:
        due = max(due, not_before) if due is not None else not_before
    return due
