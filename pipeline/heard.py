"""Which part of a period has really been seen, from the hours of its sources. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of one source."""

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
    hours = []
    hour, first = hour_of(since), min(known, default=None)
    born = hour_of(source.created_at) if source.created_at else hour
    forgotten = kept_since or born
    while hour < min(until, now):
        missing = (UNREAD, _why(source, hour, first=first, now=now))
        if born <= hour < forgotten:
            missing = (UNKNOWN, FORGOTTEN)
        state, reason = known.get(hour) or missing
        hours.append(Hour(begins_at=hour, state=state, reason=reason))
        hour += HOUR
    return hours


def summed(
    hours: Mapping[Watched, Sequence[Hour]] | Sequence[tuple[Watched, Sequence[Hour]]],
    *,
    now: datetime,
) -> Heard:
    """Count hours that are over, and join what was not read into gaps."""
    pairs = list(hours.items()) if isinstance(hours, Mapping) else list(hours)
    over = [
        (source, [hour for hour in those if hour.begins_at + HOUR <= now])
        for source, those in pairs
    ]
    states = [hour.state for _, those in over for hour in those]
    gaps = [gap for source, those in over for gap in _gaps(source, those)]
    return Heard(
        read=states.count(READ),
        partly=states.count(PARTLY),
        unread=states.count(UNREAD),
        unknown=states.count(UNKNOWN),
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.until, gap.since), reverse=True)),
    )


def _gaps(source: Watched, hours: Sequence[Hour]) -> list[Gap]:
    gaps: list[Gap] = []
    for hour in hours:
        if hour.state == READ:
            continue
        last = gaps[-1] if gaps else None
        begins, ends = hour.begins_at, hour.begins_at + HOUR
        is_same = last is not None and last.until == begins and last.reason == hour.reason
        if last is not None and is_same and last.state == hour.state:
            begins = gaps.pop().since
        gaps.append(
            Gap(source=source, since=begins, until=ends, state=hour.state, reason=hour.reason)
        )
    return gaps


def _why(source: Watched, hour: datetime, *, first: datetime | None, now: datetime) -> str:
    if not source.is_enabled:
        return "switched off"
    is_early = first is not None and hour < first
    if not source.has_run or (is_early and (source.was_ever_read or not source.failed)):
        return "not crawled yet"
    if is_early:
        return f"not read yet: the last run ended as {source.failed}"
    if source.next_due_at is None or source.next_due_at <= now:
        return "no run came"
    after = f"; the last one ended as {source.failed}" if source.failed else ""
    return f"waits for the next run{after}"
