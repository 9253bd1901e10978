"""From runs to hours: what a source published when has been read, and what not, and why. Pure.

A whole run has read everything from where the last one stopped until its own beginning: hours that
failed before are healed by it. Where a site lists only its newest entries, and the oldest of them
is younger than what we had, what lies between is lost, and stays a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

HOUR: Final = timedelta(hours=1)
#: A first run reads the archive; further back than this nobody asks hour by hour.
LOOK_BACK: Final = timedelta(days=31)


class State(StrEnum):
    """How far one hour of one source is read."""

    READ = "read"
    PARTLY = "partly"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One run as far as it says what was read."""

    began_at: datetime  #: of the walk, which may go over several runs: later posts are not in it
    ended_at: datetime
    is_whole: bool  #: everything down to where the last whole run began was read
    oldest: datetime | None = None  #: the oldest post that it met
    has_gap: bool = False  #: the site lists nothing older than that, and it is newer than we had
    reason: str = ""  #: why it is not whole, in words
    is_partly: bool = False  #: it read something, and the next run goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Time that is read without a gap."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is now known of one hour."""

    hour: datetime  #: its begin
    state: State
    reason: str = ""


def hour_of(moment: datetime) -> datetime:
    """The begin of its hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def stretch(reading: Reading, *, before: Stretch | None) -> Stretch:
    """What is read without a gap after a whole run."""
    if before is not None and not _is_torn(reading, before):
        return Stretch(since=before.since, until=reading.began_at)
    # The first run proves only what it met: a search may look back a week and no further.
    return Stretch(since=reading.oldest or reading.began_at, until=reading.began_at)


def marks(reading: Reading, *, before: Stretch | None, looked_until: datetime | None) -> list[Mark]:
    """What a run says of the hours; of each only the last mark counts.

    ``before`` is what the last whole run left, ``looked_until`` when the last run of any kind
    ended; None when there was none.
    """
    if not reading.is_whole:
        return list(_not_read(reading, since=looked_until or reading.began_at))
    now = stretch(reading, before=before)
    if before is None:
        return list(_read(now, since=now.since))
    if _is_torn(reading, before):
        return [*_lost(before.until, now.since), *_read(now, since=now.since)]
    return list(_read(now, since=before.until))


def _is_torn(reading: Reading, before: Stretch) -> bool:
    return reading.has_gap and reading.oldest is not None and reading.oldest > before.until


def _read(known: Stretch, *, since: datetime) -> Iterator[Mark]:
    hour, last = hour_of(max(since, known.until - LOOK_BACK)), hour_of(known.until)
    if known.since > hour and hour < last:
        yield Mark(hour=hour, state=State.PARTLY, reason=f"read from {known.since:%H:%M} on")
        hour += HOUR
    while hour < last:
        yield Mark(hour=hour, state=State.READ)
        hour += HOUR
    yield Mark(hour=last, state=State.PARTLY, reason=f"read until {known.until:%H:%M}")


def _lost(read_until: datetime, oldest: datetime) -> Iterator[Mark]:
    reason = f"the site lists nothing older than {oldest:%Y-%m-%d %H:%M} UTC: the rest is lost"
    hour = max(hour_of(read_until), hour_of(oldest) - LOOK_BACK)
    while hour <= hour_of(oldest):
        yield Mark(hour=hour, state=State.UNREAD, reason=reason)
        hour += HOUR


def _not_read(reading: Reading, *, since: datetime) -> Iterator[Mark]:
    state = State.PARTLY if reading.is_partly else State.UNREAD
    hour = max(hour_of(since), hour_of(reading.ended_at) - LOOK_BACK)
    while hour <= hour_of(reading.ended_at):
        yield Mark(hour=hour, state=state, reason=reading.reason)
        hour += HOUR
