"""When sources are due, from their rows: the only truth about the schedule."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Source
from core.queue import defer_crawl
from crawlers.pace import due_after_defer

#: Due at once, and earlier than whoever is due by a time.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def due_times(session: Session) -> dict[int, datetime]:
    """When each enabled source is due."""
    rows = session.execute(select(Source.id, Source.next_due_at).where(Source.is_enabled))
    return {source_id: due or AT_ONCE for source_id, due in rows}


def defer_due(
    session: Session, source_id: int, *, now: datetime, chance: float | None = None
) -> datetime | None:
    """Ask for a crawl if the row still says that it is due; return when it is due next.

    None when the source is gone or disabled. Two leaders at once, or a due time that moved
    meanwhile, do no harm: the row decides, locked.
    """
    source = session.scalar(
        select(Source).where(Source.id == source_id, Source.is_enabled).with_for_update()
    )
    if source is None:
        return None
    if source.next_due_at is not None and source.next_due_at > now:
        return source.next_due_at
    defer_crawl(session, source.id, trigger="schedule")
    source.next_due_at = due_after_defer(
        now,
        interval_seconds=source.interval_seconds,
        failures=source.failures,
        chance=random.random() if chance is None else chance,  # noqa: S311
    )
    return source.next_due_at
