"""Counters of posts as they stood long ago: without end they would be most of the rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

KEPT = timedelta(days=30)
_MOST_DELETED = 10_000

_DELETE = text(
    """
    DELETE FROM post_engagement WHERE ctid IN (
        SELECT ctid FROM post_engagement WHERE seen_at < :before
        ORDER BY seen_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)


def delete_old_counts(session: Session, *, now: datetime) -> int:
    """Take away a batch of counters; return how many. The last ones stay on their post."""
    given = {"before": now - KEPT, "limit": _MOST_DELETED}
    return session.connection().execute(_DELETE, given).rowcount
