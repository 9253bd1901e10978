"""Signs of life: each process says every few seconds that it runs, in the table ``process``."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from core.models import Process

log = structlog.get_logger()

BEAT_SECONDS = 5.0
#: A process that has been silent for this long is taken for dead.
SILENT_AFTER = timedelta(seconds=4 * BEAT_SECONDS)
#: What an installation needs at least; a worker may serve several queues ("judge+deliver").
NEEDED = ("api", "scheduler", "crawl", "judge", "deliver")
_FORGOTTEN_AFTER = timedelta(days=1)


@contextmanager
def beating(engine: Engine, *, role: str) -> Iterator[None]:
    """Beat in a thread of its own while the block runs; leaving takes the row away."""
    row = Process(
        id=uuid4(), role=role, host=socket.gethostname(), pid=os.getpid(), started_at=_now()
    )
    over = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(engine, row, over), name=f"heartbeat-{role}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=2)
        _quietly(lambda: _leave(engine, row))


def _beat(engine: Engine, row: Process, over: threading.Event) -> None:
    while True:
        _quietly(lambda: _sign(engine, row))
        if over.wait(BEAT_SECONDS):
            return


def _sign(engine: Engine, row: Process) -> None:
    now = _now()
    values = {
        "id": row.id,
        "role": row.role,
        "host": row.host,
        "pid": row.pid,
        "started_at": row.started_at,
        "beat_at": now,
    }
    statement = insert(Process).values(values)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_={"beat_at": now})
        )
        connection.execute(delete(Process).where(Process.beat_at < now - _FORGOTTEN_AFTER))


def _leave(engine: Engine, row: Process) -> None:
    with engine.begin() as connection:
        connection.execute(delete(Process).where(Process.id == row.id))


def _quietly(action: Callable[[], None]) -> None:
    """A database that is away must not end the process that would wait for it."""
    try:
        action()
    except SQLAlchemyError as error:
        log.warning("heartbeat_failed", error=type(error).__name__)


def _now() -> datetime:
    return datetime.now(UTC)
