"""The earlier runs of a source, as far as a new one is compared with them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import CrawlRun
from core.types import RunOutcome
from crawlers.engine.record import Begun
from crawlers.engine.suspicion import Earlier

_MOST_RUNS = 30
#: A few failures in between do not make a source unknown.
_MOST_LOOKED_AT = 60


def load_past(session: Session, begun: Begun) -> tuple[Earlier, ...]:
    """Runs with the same kind and params that read something, newest first."""
    rows = session.execute(
        select(CrawlRun.started_at, CrawlRun.outcome, CrawlRun.profile)
        .where(CrawlRun.source_id == begun.source_id, CrawlRun.id != begun.run_id)
        .order_by(CrawlRun.started_at.desc(), CrawlRun.id.desc())
        .limit(_MOST_LOOKED_AT)
    )
    like = [
        Earlier(at=at, is_ok=outcome == RunOutcome.OK, profile=profile)
        for at, outcome, profile in rows
        if profile.get("for") == begun.made_for
    ]
    return tuple(like[:_MOST_RUNS])
