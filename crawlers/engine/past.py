"""The earlier runs of a source, as far as a new one is compared with them."""

from __future__ import annotations

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from core.models import CrawlRun
from core.types import RunOutcome
from crawlers.engine.record import Begun
from crawlers.engine.suspicion import USUAL_AFTER, Earlier

_MOST_RUNS = 30


def load_past(session: Session, begun: Begun) -> tuple[Earlier, ...]:
    """Runs with the same kind and params that read a page, newest first.

    The latest are among them whatever they read: a run that was told "not modified" hands on what
    is remembered from run to run, and there may be a thousand of those in a quiet night.
    """
    profile = CrawlRun.profile
    newest_first = (CrawlRun.started_at.desc(), CrawlRun.id.desc())
    like = (
        select(CrawlRun.id)
        .where(CrawlRun.source_id == begun.source_id, CrawlRun.id != begun.run_id)
        .where(profile["for"].as_string() == begun.made_for)
        .order_by(*newest_first)
    )
    have_read = like.where(profile["first_key"].as_string() != "")
    rows = session.execute(
        select(CrawlRun.started_at, CrawlRun.outcome, profile)
        .where(CrawlRun.id.in_(union(like.limit(USUAL_AFTER), have_read.limit(_MOST_RUNS))))
        .order_by(*newest_first)
    )
    return tuple(
        Earlier(at=at, is_ok=outcome == RunOutcome.OK, profile=told) for at, outcome, told in rows
    )
