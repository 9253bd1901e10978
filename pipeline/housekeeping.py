"""What a worker looks after besides its jobs, so that nothing stays lying for long.

Each duty is a plain step of a loop and no job: a full queue cannot starve it, and it cannot be
left hanging by the very death that it is there to notice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.advisory import AdvisoryLock
from core.queue import Queue, defer_judging
from core.stalled import sweep
from core.types import Severity
from pipeline.evidence import delete_expired
from pipeline.lateness import tell_of_late_sources
from pipeline.old_counts import delete_old_counts
from pipeline.old_runs import delete_old_runs
from pipeline.source_hours import delete_old, kept_since, note_idle_hours
from pipeline.unjudged import forgotten

log = structlog.get_logger()

_KEPT = timedelta(days=3)

_OLD = text(
    """
    DELETE FROM queue.procrastinate_jobs WHERE id IN (
        SELECT job.id FROM queue.procrastinate_jobs job
        WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
          AND NOT EXISTS (SELECT FROM queue.procrastinate_events event
                          WHERE event.job_id = job.id AND event.at > :before)
        LIMIT 10000
    )
    """
)


def retry_stalled(engine: Engine, queues: list[Queue]) -> int:
    """Hand back the jobs of workers that died; crawl jobs are swept by the crawl workers."""
    with Session(engine) as session:
        swept = sweep(session, queues, lock=AdvisoryLock.HOUSEKEEPING)
        session.commit()
    if swept.retried or swept.dropped:
        log.warning("stalled_jobs_swept", retried=swept.retried, dropped=swept.dropped)
    return swept.retried


def judge_forgotten(engine: Engine, *, now: datetime) -> int:
    """Ask again for the judgement of posts that were kept over a minute ago."""
    with Session(engine) as session:
        if not _is_mine(session):
            return 0
        ids = forgotten(session, now=now)
        defer_judging(session, ids)
        session.commit()
    if ids:
        log.warning("forgotten_posts_queued", posts=len(ids))
    return len(ids)


def delete_old_jobs(engine: Engine, *, now: datetime) -> int:
    """Take away jobs that ended three days ago, of all queues."""
    with Session(engine) as session:
        if not _is_mine(session):
            return 0
        deleted = session.connection().execute(_OLD, {"before": now - _KEPT}).rowcount
        session.commit()
    return deleted


def delete_old_evidence(engine: Engine, *, from_severity: Severity, now: datetime) -> int:
    """Take away raw answers whose days are over, none of a severe mention."""
    return _in_batches(engine, partial(delete_expired, from_severity=from_severity, now=now))


def delete_old_hours(engine: Engine, *, keep_days: float, now: datetime) -> int:
    """Forget which hours of sources were read so many days ago."""
    return _in_batches(engine, partial(delete_old, before=kept_since(now, keep_days=keep_days)))


def delete_old_crawls(engine: Engine, *, now: datetime) -> int:
    """Forget runs of long ago that brought nothing."""
    return _in_batches(engine, partial(delete_old_runs, now=now))


def delete_old_engagement(engine: Engine, *, now: datetime) -> int:
    """Forget how the counters of posts stood weeks ago."""
    return _in_batches(engine, partial(delete_old_counts, now=now))


def _in_batches(engine: Engine, delete: Callable[[Session], int]) -> int:
    """Delete batch by batch, each in a transaction of its own; return how many rows."""
    total = 0
    while True:
        with Session(engine) as session:
            if not _is_mine(session):
                return total
            deleted = delete(session)
            session.commit()
        if not deleted:
            return total
        total += deleted


def tell_of_silence(engine: Engine, *, longest_run: timedelta, now: datetime) -> int:
    """Tell of sources for which no run comes, and mark the hours that nobody read."""
    with Session(engine) as session:
        if not _is_mine(session):
            return 0
        opened = tell_of_late_sources(session, longest_run=longest_run, now=now)
        note_idle_hours(session, now=now)
        session.commit()
    return opened


def _is_mine(session: Session) -> bool:
    """Whether this process does it now, and not another beside it."""
    return bool(
        session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": AdvisoryLock.HOUSEKEEPING}
        )
    )
