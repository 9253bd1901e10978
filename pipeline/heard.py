"""Which part of a period has really been seen, from the hours of its sources. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

HOUR: Final = timedelta(hours=1)
READ, PARTLY, UNREAD = "read", "partly", "unread"
#: Nothing is stored any more of an hour of so long ago.
UNKNOWN, FORGOTTEN = "unknown", "no longer known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A source as far as it explains hours about which nothing is written."""

    id: int
    slug: str
    is_enabled: bool
    has_run: bool
    next_due_at: datetime | None
    created_at: datetime | None = None
    failed: str | None = None  #: how the newest run ended and why, if it could not read
    was_ever_read: bool = True


class Hour(NamedTuple):
    """One hour of one source; a year of many sources is a million of them."""

    begins_at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Hours in a row that were not wholly read, for one reason."""

    source: Watched
    since: datetime
    until: datetime
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How much of the hours that are over was read; what is no longer known is no part of it."""

    read: int
    partly: int
    unread: int
    gaps: tuple[Gap, ...]  #: newest first
    unknown: int = 0

    @property
    def share_read(self) -> float | None:
        """Wholly read hours of all; None where no hour is over or no source is watched."""
        total = self.read + self.partly + self.unread
        return round(self.read / total, 4) if total else None


def hour_of(moment: datetime) -> datetime:
    """The begin of its hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_of(
    source: Watched,
    known: Mapping[datetime, tuple[str, str | None]],
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    kept_since: datetime | None = None,
) -> list[Hour]:
    """Every hour of a period, oldest first, the current one included; none of the future.

    What is missing before ``kept_since`` was forgotten.
    """
    first, end = min(known, default=None), min(until, now)
    early = (UNREAD, _why(source, is_early=first is not None, now=now))
    other = (UNREAD, _why(source, is_early=False, now=now))
    hours, hour = [], hour_of(since)
    born = hour_of(source.created_at) if source.created_at else hour
    forgotten = kept_since or born
    while hour < end:
        is_early = first is not None and hour < first
        missing = early if is_early else other
        if born <= hour < forgotten:
            missing = (UNKNOWN, FORGOTTEN)
        hours.append(Hour(hour, *(known.get(hour) or missing)))
        hour += HOUR
    return hours


def summed(pairs: Sequence[tuple[Watched, Sequence[Hour]]], *, now: datetime) -> Heard:
    """Count hours that are over, and join what was not read into gaps; hours follow each other."""
    last, states, gaps = now - HOUR, Counter[str](), list[Gap]()
    for source, hours in pairs:
        over = [hour for hour in hours if hour.begins_at <= last]
        states.update(hour.state for hour in over)
        gaps += _gaps(source, over)
    gaps.sort(key=lambda gap: (gap.until, gap.since), reverse=True)
    return Heard(
        read=states[READ],
        partly=states[PARTLY],
        unread=states[UNREAD],
        unknown=states[UNKNOWN],
        gaps=tuple(gaps),
    )


def _gaps(source: Watched, hours: Sequence[Hour]) -> Iterator[Gap]:
    for (state, reason), alike in groupby(hours, attrgetter("state", "reason")):
        if state != READ:
            first, *rest = alike
            until = (rest[-1] if rest else first).begins_at + HOUR
            yield Gap(source=source, since=first.begins_at, until=until, state=state, reason=reason)


def _why(source: Watched, *, is_early: bool, now: datetime) -> str:
    if not source.is_enabled:
        return "switched off"
    if not source.has_run or (is_early and (source.was_ever_read or not source.failed)):
        return "not crawled yet"
    if is_early:
        return f"not read yet: the last run ended as {source.failed}"
    if source.next_due_at is None or source.next_due_at <= now:
        return "no run came"
    after = f"; the last one ended as {source.failed}" if source.failed else ""
    return f"waits for the next run{after}"
