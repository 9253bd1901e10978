"""Crawl jobs of workers that died go back into the queue.

A plain loop of each worker calls this, not a job: a queue full of hanging crawls could not
starve it, and it cannot stall itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.advisory import AdvisoryLock
from core.queue import Queue

HEARTBEAT_SECONDS = 3.0
#: A worker that has been silent for this long is taken for dead.
SILENT_SECONDS = 20.0

_STALLED = text(
    """
    SELECT job.id, EXISTS (
        SELECT FROM queue.procrastinate_jobs other
        WHERE other.queueing_lock = job.queueing_lock AND other.status = 'todo'
    ) AS is_repeated
    FROM queue.procrastinate_jobs job
    LEFT JOIN queue.procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = :queue
      AND (worker.id IS NULL OR worker.id = ANY(:dead)
           OR worker.last_heartbeat < now() - make_interval(secs => :silent))
    ORDER BY job.id
    FOR UPDATE OF job SKIP LOCKED
    """
)
_RETRY = text("SELECT queue.procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
_FINISH = text("SELECT queue.procrastinate_finish_job_v1(:id, 'failed', true)")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    retried: int = 0
    dropped: int = 0  #: their like waits already, and a queueing lock allows only one


def sweep(
    session: Session, *, dead: Collection[int] = (), silent_seconds: float = SILENT_SECONDS
) -> Swept:
    """Hand back the jobs of dead workers; ``dead`` names workers known to be so."""
    if not session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": AdvisoryLock.CRAWL_SWEEP}
    ):
        return Swept()
    found = session.execute(
        _STALLED, {"queue": Queue.CRAWL.value, "dead": list(dead), "silent": silent_seconds}
    ).all()
    for job in found:
        session.execute(_FINISH if job.is_repeated else _RETRY, {"id": job.id})
    dropped = sum(job.is_repeated for job in found)
    return Swept(retried=len(found) - dropped, dropped=dropped)
