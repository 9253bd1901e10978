"""The job queue: procrastinate on the same Postgres, in its own schema ``queue``.

A job is deferred inside the transaction that makes it due, so both exist or neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import SEARCH_PATH, conninfo


class Queue(StrEnum):
    """The queues that a worker can serve."""

    CRAWL = "crawl"
    JUDGE = "judge"
    DELIVER = "deliver"
    REJUDGE = "rejudge"  #: old mentions; served by every judge worker, beside its own queue


class Task(StrEnum):
    """Names of jobs; the room that does the work registers a task of that name."""

    CRAWL = "crawl_source"
    JUDGE = "judge_posts"
    REMATCH = "rematch_brand"
    DELIVER = "deliver_due"
    REJUDGE = "rejudge_mentions"


_QUEUE_OF = {
    Task.CRAWL: Queue.CRAWL,
    Task.JUDGE: Queue.JUDGE,
    Task.REMATCH: Queue.JUDGE,
    Task.DELIVER: Queue.DELIVER,
    Task.REJUDGE: Queue.REJUDGE,
}
#: What was just kept is judged before a walk over old posts goes on.
_BEHIND_JUDGING = -1

# Never opened: it only renders the insert, which runs on the caller's own connection.
_deferring = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(
    session: Session,
    task: Task,
    arguments: Mapping[str, Any],
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    at: datetime | None = None,
    priority: int = 0,
) -> bool:
    """Put a job into the queue with this transaction; False when its like already waits.

    Jobs with the same ``lock`` run one after the other; of jobs with the same
    ``queueing_lock`` only one waits at a time.
    """
    try:
        with _raw_connection(session) as raw:
            _deferring.configure_task(
                task.value,
                allow_unknown=True,
                queue=_QUEUE_OF[task].value,
                lock=lock,
                queueing_lock=queueing_lock,
                schedule_at=at,
                priority=priority,
                connection=raw,
            ).defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True


@contextmanager
def _raw_connection(session: Session) -> Iterator[Any]:
    """The session's connection as the driver has it, inside a savepoint.

    Its failures are SQLAlchemy's: whoever writes tries again on those, and knows no procrastinate.
    """
    session.flush()
    try:
        with session.begin_nested():
            yield session.connection().connection.driver_connection
    except ConnectorException as error:
        raise OperationalError("defer a job", None, error.__cause__ or error) from error


def defer_crawl(session: Session, source_id: int, *, trigger: str) -> bool:
    """Ask for one crawl of a source; False when one waits already. One runs at a time."""
    return defer(
        session,
        Task.CRAWL,
        {"source_id": source_id, "trigger": trigger},
        lock=f"source-{source_id}",
        queueing_lock=f"crawl-{source_id}",
    )


def defer_judging(session: Session, post_ids: Sequence[int], *, batch_size: int = 32) -> None:
    """Ask for a judgement of posts just kept, in batches.

    A batch is one transaction: its gravest post waits for all of it, and a stop throws it away.
    """
    batches: list[dict[str, Any]] = [
        {"post_ids": list(post_ids[start : start + batch_size])}
        for start in range(0, len(post_ids), batch_size)
    ]
    if not batches:
        return
    with _raw_connection(session) as raw:
        _deferring.configure_task(
            Task.JUDGE.value,
            allow_unknown=True,
            queue=_QUEUE_OF[Task.JUDGE].value,
            connection=raw,
        ).batch_defer(*batches)


def defer_rematch(
    session: Session, brand_id: int, *, after_id: int = 0, changed_at: datetime | None = None
) -> bool:
    """Ask for a look through the kept posts with the eyes of one brand; False when one waits.

    A walk that goes on names the last post that it saw and the state of the brand that it walks
    for: so neither is a change lost to a walk half done, nor does one step wait twice.
    """
    if changed_at is None:
        arguments: dict[str, Any] = {"brand_id": brand_id}
        name = f"rematch-{brand_id}"
    else:
        arguments = {
            "brand_id": brand_id,
            "after_id": after_id,
            "changed_at": changed_at.isoformat(),
        }
        name = f"rematch-{brand_id}-{changed_at.isoformat()}"
    return defer(session, Task.REMATCH, arguments, queueing_lock=name, priority=_BEHIND_JUDGING)


def defer_rejudging(
    session: Session, step: Mapping[str, Any], *, at: datetime | None = None
) -> bool:
    """Ask for the next step of one lane of a run; False when that lane has one waiting."""
    name = f"rejudge-{step['run_id']}-{step['lane']}"
    return defer(session, Task.REJUDGE, step, queueing_lock=name, at=at)


def defer_delivery(session: Session, *, at: datetime | None = None) -> None:
    """Ask for a look into the outbox at ``at``, now by default."""
    defer(session, Task.DELIVER, {}, at=at)


def worker_app(url: str, *, pool_size: int = 4) -> procrastinate.App:
    """An app for a worker process; tasks are registered on it by the caller."""
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo(url),
        kwargs={"options": f"-c search_path={SEARCH_PATH} -c timezone=UTC"},
        min_size=1,
        max_size=pool_size,
    )
    return procrastinate.App(connector=connector)
