"""Sources for which no run comes: whoever should crawl is dead, and cannot say so itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.models import Source
from pipeline.operations import LATE, close_switched_off, open_alert

#: A source is late after so many of its intervals, and after so long at least.
_INTERVALS, _LEAST = 3, timedelta(minutes=15)

# Due and not in the queue: nobody schedules. In the queue since long ago: nobody crawls. A failing
# source is due later than its interval says, and a job is put into the queue only when it is due.
_OVERDUE = text(
    """
    SELECT source.id, waiting.since AS queued_at, waiting.is_begun,
           greatest(source.next_due_at, source.updated_at) AS due_at
    FROM source LEFT JOIN LATERAL (
        SELECT min(event.at) AS since, bool_or(job.status = 'doing') AS is_begun
        FROM queue.procrastinate_jobs job JOIN queue.procrastinate_events event
            ON event.job_id = job.id AND event.type = 'deferred'
        WHERE job.queue_name = 'crawl' AND job.status IN ('todo', 'doing')
          AND job.queueing_lock = 'crawl-' || source.id
    ) waiting ON true
    WHERE source.is_enabled
      AND coalesce(waiting.since, greatest(source.next_due_at, source.updated_at))
          < :now - greatest(:least, :intervals * make_interval(secs => source.interval_seconds),
                            CASE WHEN waiting.is_begun THEN :longest_run END)
    ORDER BY source.id
    """
)


def tell_of_late_sources(session: Session, *, longest_run: timedelta, now: datetime) -> int:
    """Open an alert for every source that is late; return how many. The caller commits.

    A run that has begun may take ``longest_run``.
    """
    close_switched_off(session, now=now)
    given = {"now": now, "least": _LEAST, "intervals": _INTERVALS, "longest_run": longest_run}
    opened = 0
    for source_id, queued_at, is_begun, due_at in session.execute(_OVERDUE, given).all():
        source = session.get_one(Source, source_id)
        since = queued_at or due_at
        whose = "no crawl worker takes its job" if queued_at else "no scheduler queues it"
        whose = "the worker that took its job is gone" if is_begun else whose
        reason = f"not crawled although due since {since:%Y-%m-%d %H:%M} UTC: {whose}"
        alert = open_alert(session, source, outcome=LATE, reason=reason, runs=0, now=now)
        opened += alert is not None
    return opened
