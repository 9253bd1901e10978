"""Runs of long ago that brought nothing: without end they would be most of the rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

KEPT = timedelta(days=90)
#: The newest runs of a source stay whatever their age: the next run is compared with them.
KEPT_RUNS = 100
_MOST_DELETED = 1_000

# The newest whole run stays too: it says since when everything is read.
_DELETE = text(
    """
    DELETE FROM crawl_run WHERE id IN (
        SELECT old.id FROM source CROSS JOIN LATERAL (
            SELECT started_at FROM crawl_run WHERE source_id = source.id
            ORDER BY started_at DESC OFFSET :kept LIMIT 1
        ) beyond CROSS JOIN LATERAL (
            SELECT id FROM crawl_run
            WHERE source_id = source.id AND started_at <= beyond.started_at
              AND started_at < :before AND posts_new = 0 AND posts_changed = 0
              AND id IS DISTINCT FROM (
                  SELECT id FROM crawl_run
                  WHERE source_id = source.id AND jsonb_exists(coverage, 'until')
                  ORDER BY started_at DESC, id DESC LIMIT 1)
            ORDER BY started_at LIMIT :limit
        ) old
        LIMIT :limit
    )
    """
)


def delete_old_runs(session: Session, *, now: datetime) -> int:
    """Take away a batch of runs; return how many. The caller commits."""
    given = {"kept": KEPT_RUNS, "before": now - KEPT, "limit": _MOST_DELETED}
    return session.connection().execute(_DELETE, given).rowcount
