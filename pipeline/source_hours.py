"""The hours of sources: what is written about them, with what is known already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import SourceHour

_HOUR: Any = SourceHour.__table__
_LONGEST_REASON = 500
_LOOK_BACK = timedelta(days=31)
_MOST_DELETED = 10_000


def save_marks(
    session: Session,
    source_id: int,
    marks: Sequence[tuple[datetime, str, str]],
    *,
    ended_at: datetime,
) -> None:
    """Write hour, state and reason. What was read stays read, and what was partly read, partly.

    Of an hour that comes twice the last mark counts.
    """
    ran_in = ended_at.replace(minute=0, second=0, microsecond=0)
    rows = [
        {
            "source_id": source_id,
            "hour": hour,
            "state": state,
            "reason": reason[:_LONGEST_REASON] or None,
            "runs": int(hour == ran_in),
            "read_at": ended_at if state == "read" else None,
        }
        for hour, state, reason in {mark[0]: mark for mark in marks}.values()
    ]
    if not rows:
        return
    insertion = insert(_HOUR)
    new, old = insertion.excluded, _HOUR.c
    is_known = old.state == "read"
    was_partly = (old.state == "partly") & (new.state == "unread")
    session.execute(
        insertion.on_conflict_do_update(
            index_elements=["source_id", "hour"],
            set_={
                "state": case((or_(is_known, was_partly), old.state), else_=new.state),
                "reason": case((is_known, old.reason), else_=new.reason),
                "runs": old.runs + new.runs,
                "read_at": func.coalesce(old.read_at, new.read_at),
            },
        ),
        rows,
    )


_IDLE = text(
    """
    INSERT INTO source_hour (source_id, hour, state, reason)
    SELECT source.id, hour, 'unread',
           CASE WHEN NOT source.is_enabled THEN 'switched off'
                WHEN source.last_run_at IS NULL THEN 'not crawled yet'
                WHEN source.next_due_at > :now THEN left('waits for the next run' || CASE
                    WHEN source.last_outcome IN ('ok', 'empty') THEN ''
                    ELSE '; the last one ended as ' || source.last_outcome
                        || coalesce(': ' || source.last_reason, '') END, :longest)
                ELSE 'no run came' END
    FROM source CROSS JOIN LATERAL generate_series(
        date_trunc('hour', greatest(source.created_at, :earliest, (
            SELECT max(marked.hour) + interval '1 hour' FROM source_hour marked
            WHERE marked.source_id = source.id)), 'UTC'),
        date_trunc('hour', CAST(:now AS timestamptz), 'UTC') - interval '1 hour',
        interval '1 hour'
    ) AS hour
    ON CONFLICT DO NOTHING
    """
)


def note_idle_hours(session: Session, *, now: datetime) -> int:
    """Write down why nothing was read in hours that are over and have no run; the caller commits.

    A whole run that comes later heals them.
    """
    given = {"now": now, "earliest": now - _LOOK_BACK, "longest": _LONGEST_REASON}
    return session.connection().execute(_IDLE, given).rowcount


_DELETE_OLD = text(
    """
    DELETE FROM source_hour WHERE ctid IN (
        SELECT ctid FROM source_hour WHERE hour < :before LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)


def kept_since(now: datetime, *, keep_days: float) -> datetime:
    """The begin of the oldest hour of which it is still known whether it was read."""
    oldest = now - timedelta(days=keep_days)
    return oldest.replace(minute=0, second=0, microsecond=0)


def delete_old(session: Session, *, before: datetime) -> int:
    """Forget a batch of hours that began before a moment; return how many. The caller commits."""
    given = {"before": before, "limit": _MOST_DELETED}
    return session.connection().execute(_DELETE_OLD, given).rowcount
