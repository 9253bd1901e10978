"""What a run writes: each function is called inside one transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from core.models import CrawlRun, Source
from core.types import RunOutcome
from crawlers.contract import NOTHING, Cursor, Page, Problem, Request
from crawlers.engine.hours import note_hours
from crawlers.engine.memory import cursor_to_store, fingerprint, resume_to_store
from crawlers.engine.profile import moment_of
from crawlers.engine.verdict import Tally, Verdict
from crawlers.pace import due_after_run
from pipeline.dead_letters import bury
from pipeline.ingest import Kept, keep
from pipeline.operations import note_run
from pipeline.presence import Walk

#: A page that fails so often in a row, whatever its answer, is not where the next run starts: what
#: is new at the top would never be read.
_TRIES_TO_RESUME = 3
CUT_OFF = "cut off: the process that ran it died; the next run goes on from where it stood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that was begun, and its source as it was then."""

    run_id: int
    source_id: int
    slug: str
    kind: str
    params: Mapping[str, Any]
    time_zone: str
    cursor: Mapping[str, Any]
    resume: Mapping[str, Any] | None
    began_at: datetime  #: of the walk: of an earlier run, when this one goes on from it
    is_limited: bool = False  #: as the spider says

    @property
    def made_for(self) -> str:
        """What cursor and resume of this run are good for."""
        return fingerprint(self.kind, self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a run stands after a page."""

    following: Request | None
    ahead: Cursor
    seen: Mapping[str, str]  #: validators of the first page
    walk: Walk | None = None  #: what was read before the page; None where lists have gaps


def begin(session: Session, source_id: int, *, now: datetime) -> Begun | None:
    """Open a run, and close those that a death left open; None when the source is gone."""
    source = session.scalar(select(Source).where(Source.id == source_id).with_for_update())
    if source is None:
        return None
    close_open_runs(session, source_id, reason=CUT_OFF, now=now)
    run = CrawlRun(source_id=source_id, outcome=RunOutcome.RUNNING, started_at=now)
    session.add(run)
    session.flush()
    resume = source.resume or {}
    is_continued = resume.get("for") == fingerprint(source.kind, source.params)
    return Begun(
        run_id=run.id,
        source_id=source_id,
        slug=source.slug,
        kind=source.kind,
        params=source.params,
        time_zone=source.time_zone,
        cursor=source.cursor,
        resume=source.resume,
        began_at=(moment_of(resume.get("began_at")) if is_continued else None) or now,
    )


def is_gone(session: Session, source_id: int) -> bool:
    """Whether a source was deleted."""
    return session.get(Source, source_id) is None


def keep_page(session: Session, begun: Begun, page: Page, *, stand: Stand, now: datetime) -> Kept:
    """Keep a page's posts and problems, count them, and remember where the run stands."""
    kept = keep(session, page.posts, source_id=begun.source_id, crawl_run_id=begun.run_id, now=now)
    bury_problems(session, begun, page.problems, now=now)
    session.execute(
        update(CrawlRun)
        .where(CrawlRun.id == begun.run_id)
        .values(
            pages=CrawlRun.pages + 1,
            posts_seen=CrawlRun.posts_seen + len(page.posts),
            posts_new=CrawlRun.posts_new + kept.new,
            posts_changed=CrawlRun.posts_changed + kept.changed,
            dead_letters=CrawlRun.dead_letters + kept.dead + len(page.problems),
        )
    )
    if stand.following is not None:
        resume = resume_to_store(
            stand.following, ahead=stand.ahead, seen=stand.seen, made_for=begun.made_for
        )
        resume["began_at"] = begun.began_at.isoformat()
        if stand.walk is not None:
            resume["walk"] = stand.walk.past(kept.dated).to_store()
        session.execute(update(Source).where(Source.id == begun.source_id).values(resume=resume))
    return kept


def bury_problems(
    session: Session, begun: Begun, problems: Sequence[Problem], *, now: datetime
) -> None:
    """Keep word of the items of a page that are no posts."""
    for problem in problems:
        bury(
            session,
            stage="parse",
            reason=problem.reason,
            now=now,
            source_id=begun.source_id,
            crawl_run_id=begun.run_id,
            url=problem.url,
            detail={"external_id": problem.external_id, "excerpt": problem.excerpt},
        )


def bury_page(session: Session, begun: Begun, *, url: str, reason: str, now: datetime) -> None:
    """Keep word of a page on which the spider broke."""
    bury(
        session,
        stage="parse",
        reason=reason,
        now=now,
        source_id=begun.source_id,
        crawl_run_id=begun.run_id,
        url=url,
    )


def finish(
    session: Session,
    begun: Begun,
    verdict: Verdict,
    *,
    tally: Tally,
    stand: Stand | None,
    now: datetime,
    profile: Mapping[str, Any] = NOTHING,
) -> None:
    """Close a run; the cursor moves only with a whole one."""
    source = session.scalar(select(Source).where(Source.id == begun.source_id).with_for_update())
    if source is None:
        return
    read = note_hours(
        session,
        source,
        verdict,
        began_at=begun.began_at,
        made_for=begun.made_for,
        is_limited=begun.is_limited,
        profile=profile,
        now=now,
    )
    session.execute(
        update(CrawlRun)
        .where(CrawlRun.id == begun.run_id)
        .values(
            outcome=verdict.outcome,
            reason=verdict.reason,
            finished_at=now,
            coverage={"announced": tally.announced, "seen": tally.seen, **read},
            profile={**profile, "for": begun.made_for} if profile else {},
        )
    )
    is_same = fingerprint(source.kind, source.params) == begun.made_for
    if verdict.is_whole and stand is not None and is_same:
        source.cursor = cursor_to_store(stand.ahead, seen=stand.seen, made_for=begun.made_for)
    tries = source.failures + 1
    is_stuck = verdict.is_failure and not verdict.goes_on and tries >= _TRIES_TO_RESUME
    if verdict.is_whole or verdict.starts_over or is_stuck or not is_same:
        source.resume = None
    note_end(session, source, verdict, now=now)


def note_end(session: Session, source: Source, verdict: Verdict, *, now: datetime) -> None:
    """What the source says of its last run, when it is due again, and who must hear of it."""
    before = source.failures
    source.failures = before + 1 if verdict.is_failure else 0
    if verdict.is_suspicion:
        source.failures = 1  # most of it is heard, and perhaps nothing is wrong
    source.last_outcome, source.last_reason = verdict.outcome, verdict.reason
    source.last_run_at = now
    source.next_due_at = due_after_run(
        now,
        due=source.next_due_at,
        interval_seconds=source.interval_seconds,
        failures=source.failures,
        failures_before=before,
        not_before=verdict.not_before,
    )
    is_hopeless = verdict.is_wrong_address and not _was_ever_read(session, source)
    note_run(
        session,
        source,
        outcome=verdict.outcome,
        reason=verdict.reason,
        now=now,
        is_hopeless=is_hopeless,
    )


def _was_ever_read(session: Session, source: Source) -> bool:
    """Whether a run with these params found its page; of old runs it is not known with which."""
    made_for, run = fingerprint(source.kind, source.params), CrawlRun
    is_same = (run.profile["for"].as_string() == made_for) | ~run.profile.has_key("for")
    found = exists().where(
        run.source_id == source.id,
        run.outcome.in_([RunOutcome.OK, RunOutcome.EMPTY]),
        is_same,
    )
    return bool(session.scalar(select(found)))


def close_open_runs(
    session: Session, source_id: int, *, reason: str, now: datetime
) -> Sequence[int]:
    """Mark runs that no process works on any more; return their ids."""
    return list(
        session.scalars(
            update(CrawlRun)
            .where(CrawlRun.source_id == source_id, CrawlRun.outcome == RunOutcome.RUNNING)
            .values(outcome=RunOutcome.ERROR, reason=reason, finished_at=now)
            .returning(CrawlRun.id)
        )
    )
