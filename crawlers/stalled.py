"""Crawl jobs of workers that died go back into the queue."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from core.advisory import AdvisoryLock
from core.queue import Queue
from core.stalled import HEARTBEAT_SECONDS, SILENT_SECONDS, Swept
from core.stalled import sweep as sweep_queues

__all__ = ["HEARTBEAT_SECONDS", "Swept", "sweep"]


def sweep(
    session: Session, *, dead: Collection[int] = (), silent_seconds: float = SILENT_SECONDS
) -> Swept:
    """Hand back the crawl jobs of dead workers; ``dead`` names workers known to be so."""
    return sweep_queues(
        session,
        [Queue.CRAWL],
        lock=AdvisoryLock.CRAWL_SWEEP,
        dead=dead,
        silent_seconds=silent_seconds,
    )
