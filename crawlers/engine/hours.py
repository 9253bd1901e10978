"""Writes what a run says of the hours of its source, in the transaction that ends the run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import CrawlRun, Source
from core.types import RunOutcome
from crawlers.contract import NOTHING
from crawlers.coverage import Reading, Stretch, marks, stretch
from crawlers.engine.profile import moment_of
from crawlers.engine.verdict import NOTHING_CHANGED, Verdict
from pipeline.source_hours import save_marks

#: Clocks of sites and of ours differ, and a post may appear a little late.
_LATE_POSTS = timedelta(minutes=1)


def note_hours(
    session: Session,
    source: Source,
    verdict: Verdict,
    *,
    began_at: datetime,
    made_for: str,
    now: datetime,
    is_limited: bool = False,
    profile: Mapping[str, Any] = NOTHING,
) -> dict[str, Any]:
    """Mark the hours; return what ``crawl_run.coverage`` says of the run."""
    is_unchanged = verdict.outcome is RunOutcome.OK and verdict.reason.startswith(NOTHING_CHANGED)
    is_whole = verdict.is_whole or is_unchanged
    until = began_at - _LATE_POSTS
    begins_at, oldest = moment_of(profile.get("begins_at")), moment_of(profile.get("oldest"))
    before, newest = last_whole(session, source.id, made_for=made_for)
    # Where it still lists what we had, nothing can lie between.
    meets = oldest is None or newest is None or oldest <= newest
    has_gap = begins_at is not None or (is_limited and not meets)
    reading = Reading(
        began_at=until,
        ended_at=now,
        is_whole=is_whole,
        oldest=begins_at or oldest,
        has_gap=has_gap and not is_unchanged,
        reason=f"{verdict.outcome.value}: {verdict.reason}",
        is_partly=verdict.outcome is RunOutcome.OK,
    )
    found = marks(reading, before=before, looked_until=source.last_run_at)
    told = [(mark.hour, mark.state.value, mark.reason) for mark in found]
    save_marks(session, source.id, told, ended_at=now)
    if not is_whole:
        return {}
    known = stretch(reading, before=before)
    return {"since": known.since.isoformat(), "until": known.until.isoformat()}


def last_whole(
    session: Session, source_id: int, *, made_for: str
) -> tuple[Stretch | None, datetime | None]:
    """What the last whole run left read without a gap, and the newest post that it knew."""
    row = session.execute(
        select(CrawlRun.coverage, CrawlRun.profile)
        .where(CrawlRun.source_id == source_id, CrawlRun.coverage.has_key("until"))
        .order_by(CrawlRun.started_at.desc(), CrawlRun.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.profile.get("for") != made_for:
        return None, None
    since, until = moment_of(row.coverage.get("since")), moment_of(row.coverage["until"])
    known = Stretch(since=since or until, until=until) if until is not None else None
    return known, moment_of(row.profile.get("newest"))
