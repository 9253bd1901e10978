"""Looks at the installation from outside of every workspace."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.schemas.ops import HealthShown, ProcessesShown, QueueShown, RejudgingShown
from core.process import NEEDED, SILENT_AFTER
from pipeline.rejudge_runs import latest

log = structlog.get_logger()

#: A process that ended without a goodbye longer ago than this is history.
FORGOTTEN_AFTER = timedelta(hours=1)
_FRESH = timedelta(seconds=1)

_QUEUES = text(
    """
    SELECT queue, count(*) AS waiting, min(coalesce(scheduled_at, at)) AS oldest FROM (
        SELECT queue_name AS queue, scheduled_at,
               (SELECT min(e.at) FROM queue.procrastinate_events e WHERE e.job_id = j.id) AS at
        FROM queue.procrastinate_jobs j
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= :now)
        ORDER BY id LIMIT 10000
    ) due GROUP BY queue ORDER BY queue
    """
)
_PROCESSES = text(
    """
    SELECT role, count(*) FILTER (WHERE beat_at > :silent) AS running,
           count(*) FILTER (WHERE beat_at <= :silent) AS silent, max(beat_at) AS youngest
    FROM process WHERE beat_at > :forgotten GROUP BY role ORDER BY role
    """
)
# Judged before, and now once more for a brand that came later: old, but nothing is late.
_UNJUDGED = text(
    """
    SELECT seen_at FROM post WHERE judged_version IS DISTINCT FROM version
        AND (judged_version IS NOT NULL OR judged_at IS NULL)
    ORDER BY id LIMIT 1
    """
)


@dataclass
class HealthCheck:
    """Asked by anybody without a key, so it looks at most once a second."""

    engine: Engine
    _last: HealthShown | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, *, now: datetime) -> HealthShown:
        with self._lock:
            if self._last is None or not timedelta() <= now - self._last.checked_at < _FRESH:
                self._last = look(self.engine, now=now)
            return self._last


def look(engine: Engine, *, now: datetime) -> HealthShown:
    """Ask the database about everything else."""
    try:
        with Session(engine) as session:
            return _read(session, now)
    except SQLAlchemyError as error:
        log.error("health_database_down", error=type(error).__name__)
        return HealthShown(
            status="down",
            database="down",
            queues=[],
            processes=[],
            oldest_unjudged_seconds=None,
            rejudging=None,
            checked_at=now,
        )


def _read(session: Session, now: datetime) -> HealthShown:
    queues = [
        QueueShown(queue=row.queue, waiting=row.waiting, oldest_seconds=_age(row.oldest, now))
        for row in session.execute(_QUEUES, {"now": now})
    ]
    processes = _processes(session, now)
    # A dead twin beside a living one is no trouble; a role with none alive is.
    is_degraded = any(not role.running for role in processes)
    return HealthShown(
        status="degraded" if is_degraded else "ok",
        database="ok",
        queues=queues,
        processes=processes,
        oldest_unjudged_seconds=_age(session.scalar(_UNJUDGED), now),
        rejudging=_rejudging(session, now),
        checked_at=now,
    )


def _processes(session: Session, now: datetime) -> list[ProcessesShown]:
    """Every role with a sign of life of late, and those that are needed and gave none."""
    times = {"silent": now - SILENT_AFTER, "forgotten": now - FORGOTTEN_AFTER}
    seen = [
        ProcessesShown(
            role=row.role,
            running=row.running,
            silent=row.silent,
            youngest_beat_seconds=_age(row.youngest, now),
        )
        for row in session.execute(_PROCESSES, times)
    ]
    named = {part for one in seen for part in one.role.split("+")}
    missing = [
        ProcessesShown(role=role, running=0, silent=0, youngest_beat_seconds=None)
        for role in NEEDED
        if role not in named
    ]
    return sorted([*seen, *missing], key=lambda one: one.role)


def _rejudging(session: Session, now: datetime) -> RejudgingShown | None:
    """The run under way; why one waits is for the operator, who asks the doctor."""
    run = next((run for run in latest(session, now=now) if run.ended_at is None), None)
    if run is None:
        return None
    return RejudgingShown(
        state=run.state,
        judge=run.judge,
        done=run.done,
        could_not_be_judged=run.dead,
        total=run.total,
        seconds_left=run.seconds_left,
    )


def _age(then: datetime | None, now: datetime) -> float | None:
    return None if then is None else max(0.0, round((now - then).total_seconds(), 1))
