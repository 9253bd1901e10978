"""What is written about a run whose process was killed, or that kills its process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Source
from core.queue import defer_crawl
from core.types import RunOutcome
from crawlers.engine.hours import note_hours
from crawlers.engine.record import close_open_runs, note_end
from crawlers.engine.verdict import Verdict


def note_lost_run(session: Session, source_id: int, *, reason: str, now: datetime) -> None:
    """Close the run of a killed child; the next one goes on from ``source.resume``."""
    close_open_runs(session, source_id, reason=reason, now=now)


def give_up(session: Session, source_id: int, *, reason: str, now: datetime) -> None:
    """Stop trying a source that kills its process each time; it is due later, from the top."""
    close_open_runs(session, source_id, reason=reason, now=now)
    source = session.scalar(select(Source).where(Source.id == source_id).with_for_update())
    if source is not None:
        source.resume = None
        verdict = Verdict(outcome=RunOutcome.ERROR, reason=reason)
        note_hours(session, source, verdict, began_at=now, made_for="", now=now)
        note_end(session, source, verdict, now=now)


def hand_back(
    session: Session, source_id: int, *, trigger: str, reason: str, now: datetime
) -> None:
    """Put a run that we must leave back into the queue, in place of its job."""
    close_open_runs(session, source_id, reason=reason, now=now)
    defer_crawl(session, source_id, trigger=trigger)
