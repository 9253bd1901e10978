"""Runs of `goodname rejudge`: asked for, shown, stopped; the steps of one are its lanes' jobs.

A run is cut into lanes, ranges of posts with about as many outdated ones each, so that several
workers can share it. A lane has one job at a time; each step defers the next as it commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.advisory import AdvisoryLock
from core.models import Mention, RejudgeRun
from core.queue import defer_rejudging
from pipeline.rejudge import Chosen

_MENTION: Any = Mention.__table__
_RUN: Any = RejudgeRun.__table__

#: As many workers as this can share one run.
MOST_LANES = 8
_LEAST_POSTS_OF_LANE = 256

_JOBS = text(
    "SELECT count(*) FROM queue.procrastinate_jobs WHERE task_name = 'rejudge_mentions'"
    " AND status IN ('todo', 'doing') AND (args ->> 'run_id')::bigint = :run_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run as people see it."""

    id: int
    judge: str
    state: str  #: running, waiting, interrupted, stopped or finished
    total: int
    done: int
    dead: int
    note: str | None
    requested_at: datetime
    moved_at: datetime | None
    ended_at: datetime | None
    seconds_left: float | None  #: at the pace so far; None when nobody can say


def count_by_judge(session: Session, chosen: Chosen) -> dict[str, int]:
    """How many of the mentions each judge has graded, of the brands and times of ``chosen``."""
    m = _MENTION.c
    rows = session.execute(select(m.judge, func.count()).where(*chosen.scope()).group_by(m.judge))
    return dict(sorted((judge, count) for judge, count in rows))


def count_outdated(session: Session, chosen: Chosen) -> int:
    """How many mentions a run would grade; less than those of other judges where texts broke it."""
    query = select(func.count()).select_from(_MENTION).where(*chosen.outdated())
    return session.scalar(query) or 0


def begin(session: Session, chosen: Chosen, *, now: datetime) -> tuple[int | None, bool]:
    """Start a run, or take up the one of the like that was cut off; the caller commits.

    Its id, None when nothing is outdated; and whether jobs were queued just now. Runs of another
    judge end: two judges would undo each other's work.
    """
    _lock_runs(session)
    session.execute(
        update(_RUN)
        .where(_RUN.c.judge != chosen.judge, *_is_open())
        .values(stopped_at=now, note=f"another judge took over: {chosen.judge}")
    )
    run_id = _like(session, chosen)
    if run_id is not None and session.scalar(_JOBS, {"run_id": run_id}):
        return run_id, False
    total = count_outdated(session, chosen)
    if not total:
        if run_id is not None:
            _close(session, run_id, now=now)
        return None, False
    if run_id is None:
        run_id = _insert(session, chosen, total=total, now=now)
    _queue_lanes(session, run_id, chosen)
    return run_id, True


def stop(session: Session, *, now: datetime) -> int:
    """End every run after the batch at hand; how many. The caller commits."""
    _lock_runs(session)
    values = {"stopped_at": now, "note": "stopped by an operator"}
    rows = session.execute(update(_RUN).where(*_is_open()).values(values).returning(_RUN.c.id))
    return len(rows.all())


def find_open(session: Session, run_id: int) -> Chosen | None:
    """What a run that is under way wants; None when it has ended."""
    row = session.execute(
        select(_RUN.c.judge, _RUN.c.brand_ids, _RUN.c.since).where(_RUN.c.id == run_id, *_is_open())
    ).one_or_none()
    if row is None:
        return None
    brand_ids = None if row.brand_ids is None else tuple(row.brand_ids)
    return Chosen(judge=row.judge, brand_ids=brand_ids, since=row.since)


def note_progress(session: Session, run_id: int, *, done: int, dead: int, now: datetime) -> None:
    """Count a batch; with the effects of the batch, in one transaction."""
    r = _RUN.c
    session.execute(
        update(_RUN)
        .where(r.id == run_id)
        .values(done=r.done + done, dead=r.dead + dead, moved_at=now, note=None)
    )


def note_wait(session: Session, run_id: int, *, why: str) -> None:
    """Say why a run does not move."""
    session.execute(update(_RUN).where(_RUN.c.id == run_id, *_is_open()).values(note=why))


def close_lane(session: Session, run_id: int, lane: int, *, now: datetime) -> bool:
    """A lane is at its end, the run too when it was the last one; closing twice is once."""
    r = _RUN.c
    left = session.scalar(
        update(_RUN)
        .where(r.id == run_id, *_is_open())
        .values(open_lanes=func.array_remove(r.open_lanes, lane), note=None)
        .returning(func.cardinality(r.open_lanes))
    )
    if left != 0:
        return False
    _close(session, run_id, now=now)
    return True


def latest(session: Session, *, now: datetime, limit: int = 1) -> list[RunState]:
    """The newest runs, those under way first."""
    r = _RUN.c
    ended = func.coalesce(r.finished_at, r.stopped_at)
    rows = session.execute(
        select(_RUN).order_by(ended.is_not(None), r.id.desc()).limit(limit)
    ).all()
    return [_state(session, row, now=now) for row in rows]


def _lock_runs(session: Session) -> None:
    """Two operators at once begin one run."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AdvisoryLock.REJUDGING})


def _is_open() -> tuple[Any, Any]:
    return _RUN.c.finished_at.is_(None), _RUN.c.stopped_at.is_(None)


def _like(session: Session, chosen: Chosen) -> int | None:
    r = _RUN.c
    brand_ids = None if chosen.brand_ids is None else list(chosen.brand_ids)
    found: int | None = session.scalar(
        select(r.id).where(
            *_is_open(),
            r.judge == chosen.judge,
            r.brand_ids.is_not_distinct_from(brand_ids),
            r.since.is_not_distinct_from(chosen.since),
        )
    )
    return found


def _insert(session: Session, chosen: Chosen, *, total: int, now: datetime) -> int:
    run = RejudgeRun(
        judge=chosen.judge,
        brand_ids=None if chosen.brand_ids is None else list(chosen.brand_ids),
        since=chosen.since,
        total=total,
        requested_at=now,
    )
    session.add(run)
    session.flush()
    return run.id


def _queue_lanes(session: Session, run_id: int, chosen: Chosen) -> None:
    m = _MENTION.c
    posts = select(m.post_id).distinct().where(*chosen.outdated()).subquery()
    count = session.scalar(select(func.count()).select_from(posts)) or 0
    lanes = max(1, min(MOST_LANES, count // _LEAST_POSTS_OF_LANE))
    shares = [number / lanes for number in range(1, lanes)]
    bounds: list[int] = []
    if shares:
        at = func.percentile_disc(shares).within_group(posts.c.post_id)
        bounds = list(session.scalar(select(at)) or ())
    starts, ends = [0, *bounds], [*bounds, None]  # the last lane is open: newer ones count too
    for lane, (from_id, until_id) in enumerate(zip(starts, ends, strict=True)):
        step = {"run_id": run_id, "lane": lane, "from_id": from_id, "until_id": until_id}
        defer_rejudging(session, step)
    session.execute(
        update(_RUN).where(_RUN.c.id == run_id).values(open_lanes=list(range(lanes)), note=None)
    )


def _close(session: Session, run_id: int, *, now: datetime) -> None:
    session.execute(
        update(_RUN).where(_RUN.c.id == run_id).values(finished_at=now, open_lanes=[], note=None)
    )


def _state(session: Session, row: Any, *, now: datetime) -> RunState:
    values: Mapping[str, Any] = row._mapping
    ended_at = row.finished_at or row.stopped_at
    if ended_at is not None:
        state = "finished" if row.finished_at else "stopped"
    elif not session.scalar(_JOBS, {"run_id": row.id}):
        state = "interrupted"
    else:
        state = "waiting" if row.note else "running"
    done = row.done + row.dead
    pace = done / max((now - row.requested_at) / timedelta(seconds=1), 1.0)
    left = max(row.total - done, 0) / pace if state == "running" and pace else None
    names = ("id", "judge", "total", "done", "dead", "note", "requested_at", "moved_at")
    return RunState(
        **{name: values[name] for name in names},
        state=state,
        ended_at=ended_at,
        seconds_left=None if left is None else round(left, 1),
    )
