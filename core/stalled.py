"""Jobs of workers that died go back into the queue.

A plain loop of each worker calls this, not a job: a queue full of hanging jobs could not starve
it, and it cannot stall itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.advisory import AdvisoryLock
from core.queue import Queue

#: How often a worker says in the queue's own table that it lives.
HEARTBEAT_SECONDS = 2.0
#: A worker that has been silent there for this long is taken for dead.
SILENT_SECONDS = 10.0

_STALLED = text(
    """
    SELECT job.id FROM queue.procrastinate_jobs job
    LEFT JOIN queue.procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = ANY(:queues)
      AND (worker.id IS NULL OR worker.id = ANY(:dead)
           OR worker.last_heartbeat < now() - make_interval(secs => :silent))
    ORDER BY job.id
    FOR UPDATE OF job SKIP LOCKED
    """
)
# Asked job by job: the one handed back before may be the like of this one.
_IS_REPEATED = text(
    """
    SELECT EXISTS (
        SELECT FROM queue.procrastinate_jobs job JOIN queue.procrastinate_jobs other
            ON other.queueing_lock = job.queueing_lock AND other.status = 'todo'
        WHERE job.id = :id
    )
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
    session: Session,
    queues: Collection[Queue],
    *,
    lock: AdvisoryLock,
    dead: Collection[int] = (),
    silent_seconds: float = SILENT_SECONDS,
) -> Swept:
    """Hand back the jobs of dead workers; ``dead`` names workers known to be so.

    Whoever holds ``lock`` does it; the others do nothing. The caller commits.
    """
    is_mine = text("SELECT pg_try_advisory_xact_lock(:key)")
    if not session.scalar(is_mine, {"key": lock}):
        return Swept()
    names = [queue.value for queue in queues]
    values = {"queues": names, "dead": list(dead), "silent": silent_seconds}
    dropped = 0
    found = session.scalars(_STALLED, values).all()
    for job_id in found:
        is_repeated = bool(session.scalar(_IS_REPEATED, {"id": job_id}))
        session.execute(_FINISH if is_repeated else _RETRY, {"id": job_id})
        dropped += is_repeated
    return Swept(retried=len(found) - dropped, dropped=dropped)
