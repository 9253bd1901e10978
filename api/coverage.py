"""Reads the hours of sources, for the answer that says what has been seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from api.call import installation
from api.schemas.coverage import CoverageShown, GapShown, HoursShown
from api.shown import show_id
from core.ids import Prefix
from core.models import CrawlRun, Source, SourceHour
from core.types import RunOutcome
from pipeline.heard import Gap, Heard, Hour, Watched, hour_of, hours_of, summed
from pipeline.source_hours import kept_since

SHOWN_GAPS = 50
#: Hours of all sources together that one answer looks at.
LONGEST = timedelta(days=366)


def heard_hours(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    source_ids: Sequence[int] | None = None,
    floor: datetime | None = None,
) -> list[tuple[Watched, list[Hour]]]:
    """The hours of every source that is crawled, or was in the period; by slug.

    Those before ``floor`` may have been forgotten.
    """
    since = max(since, until - LONGEST)
    sources = _sources(session, since=since, until=until, source_ids=source_ids)
    known: dict[int, dict[datetime, tuple[str, str | None]]] = {one.id: {} for one in sources}
    rows = session.execute(
        select(SourceHour.source_id, SourceHour.hour, SourceHour.state, SourceHour.reason)
        .where(SourceHour.source_id.in_(known))
        .where(SourceHour.hour >= hour_of(since), SourceHour.hour < until)
    )
    for source_id, hour, state, reason in rows:
        known[source_id][hour] = (state, reason)
    return [
        (
            one,
            hours_of(one, known[one.id], since=since, until=until, now=now, kept_since=floor),
        )
        for one in sources
    ]


def known_since(request: Request, *, now: datetime) -> datetime:
    """The begin of the oldest hour that this installation has not forgotten."""
    return kept_since(now, keep_days=installation(request).settings.coverage.keep_days)


def coverage_of(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    source_ids: Sequence[int] | None = None,
    floor: datetime | None = None,
) -> CoverageShown:
    """What every count over this period stands on."""
    hours = heard_hours(
        session, since=since, until=until, now=now, source_ids=source_ids, floor=floor
    )
    return show_coverage(summed(hours, now=now), since=since, until=until)


def show_coverage(heard: Heard, *, since: datetime, until: datetime) -> CoverageShown:
    """Write it as the API shows it."""
    return CoverageShown(
        since=since,
        until=until,
        share_read=heard.share_read,
        hours=HoursShown(
            read=heard.read, partly=heard.partly, unread=heard.unread, unknown=heard.unknown
        ),
        gaps=[_show_gap(gap) for gap in heard.gaps[:SHOWN_GAPS]],
        gaps_left_out=max(0, len(heard.gaps) - SHOWN_GAPS),
    )


def _sources(
    session: Session, *, since: datetime, until: datetime, source_ids: Sequence[int] | None
) -> list[Watched]:
    was_read = exists().where(
        SourceHour.source_id == Source.id,
        SourceHour.hour >= hour_of(since),
        SourceHour.hour < until,
        SourceHour.state != "unread",
    )
    was_ever_read = exists().where(
        CrawlRun.source_id == Source.id, CrawlRun.outcome.in_([RunOutcome.OK, RunOutcome.EMPTY])
    )
    query = select(Source, was_ever_read).order_by(Source.slug)
    if source_ids is not None:
        query = query.where(Source.id.in_(source_ids))
    else:
        query = query.where(or_(Source.is_enabled, was_read))
    return [
        Watched(
            id=one.id,
            slug=one.slug,
            is_enabled=one.is_enabled,
            has_run=one.last_run_at is not None,
            next_due_at=one.next_due_at,
            created_at=one.created_at,
            failed=_failed(one),
            was_ever_read=was_read_once,
        )
        for one, was_read_once in session.execute(query)
    ]


def _failed(source: Source) -> str | None:
    if source.last_outcome in (None, RunOutcome.OK, RunOutcome.EMPTY):
        return None
    return f"{source.last_outcome}: {source.last_reason or 'nobody knows why'}"


def _show_gap(gap: Gap) -> GapShown:
    return GapShown(
        source_id=show_id(Prefix.SOURCE, gap.source.id),
        source=gap.source.slug,
        since=gap.since,
        until=gap.until,
        state=gap.state,
        reason=gap.reason,
    )
