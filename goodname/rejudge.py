"""`goodname rejudge`: bring old mentions up to the judge of today, in the background."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import GoodnameError
from core.models import Brand, Process, Workspace
from core.process import SILENT_AFTER
from core.settings import Settings
from goodname.admin import operating
from pipeline.rejudge import Chosen
from pipeline.rejudge_runs import RunState, begin, count_by_judge, count_outdated, latest, stop

_console = Console(highlight=False)


def rejudge(
    path: Path | None,
    *,
    brand: str | None,
    since: str | None,
    dry_run: bool,
    as_json: bool,
    demo: bool,
) -> None:
    """Say how many mentions each judge has graded, and queue those that are outdated."""
    now = datetime.now(UTC)
    start = read_since(since, now=now)
    with operating(path, demo=demo) as (session, settings):
        chosen = Chosen(
            judge=_judge_name(settings),
            brand_ids=brands(session, settings, brand, demo=demo),
            since=start,
        )
        counts = count_by_judge(session, chosen)
        outdated = count_outdated(session, chosen)
        run_id, was_queued = (None, False) if dry_run else begin(session, chosen, now=now)
        session.commit()
        runs = latest(session, now=now) if run_id is not None else []
        has_worker = _has_worker(session, now=now)
    if as_json:
        told = {
            "judge": chosen.judge,
            "mentions": counts,
            "outdated": outdated,
            "queued": was_queued,
            "has_worker": has_worker,
            "run": _as_json(runs[0]) if runs else None,
        }
        print(json.dumps(told))  # noqa: T201
        return
    _console.print(_table(counts, chosen.judge))
    _console.print(_sentence(outdated, was_queued, run_id, dry_run=dry_run), markup=False)
    if broken := left_out(counts, outdated, judge=chosen.judge):
        _console.print(broken, markup=False)
    if run_id is not None and not has_worker:
        _console.print("No judge worker is alive: start `goodname up` or `goodname worker "
                       "--queue judge`.", markup=False)  # fmt: skip


def show_status(path: Path | None, *, as_json: bool, demo: bool) -> None:
    """Show how far the latest runs are."""
    now = datetime.now(UTC)
    with operating(path, demo=demo) as (session, _):
        runs = latest(session, now=now, limit=5)
    if as_json:
        print(json.dumps([_as_json(run) for run in runs]))  # noqa: T201
        return
    if not runs:
        _console.print("nothing was ever graded anew")
    for run in runs:
        _console.print(describe(run, now=now), markup=False)


def stop_runs(path: Path | None, *, demo: bool) -> None:
    """End every run after the batch at hand."""
    with operating(path, demo=demo) as (session, _):
        count = stop(session, now=datetime.now(UTC))
        session.commit()
    runs = "1 run" if count == 1 else f"{count} runs"
    _console.print(f"stopped {runs}" if count else "nothing is under way")


def describe(run: RunState, *, now: datetime) -> str:
    """A run in one line."""
    share = f"{run.done + run.dead:,} of {max(run.total, run.done + run.dead):,} mentions"
    told = [f"{run.state}: {share} by {run.judge}"]
    if run.seconds_left is not None:
        told.append(f"about {_length(run.seconds_left)} left")
    if run.dead:
        told.append(f"{run.dead:,} could not be judged, see GET /v1/dead-letters?stage=rejudge")
    if run.note:
        told.append(run.note)
    if run.state == "interrupted":
        told.append("its jobs are gone; run `goodname rejudge` again with the same filters")
    if run.ended_at is not None:
        told.append(f"{_length((now - run.ended_at).total_seconds())} ago")
    return "; ".join(told)


def read_since(given: str | None, *, now: datetime) -> datetime | None:
    """A day, a moment (UTC unless it says otherwise), or ``90d`` for so many days ago."""
    if given is None:
        return None
    if found := re.fullmatch(r"(\d{1,5})d", given.strip()):
        days = timedelta(days=int(found[1]))
        return (now - days).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(given.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GoodnameError(
            f"--since {given!r} cannot be read; say 2026-03-01, 2026-03-01T12:00+01:00 or 90d"
        ) from None


def brands(
    session: Session, settings: Settings, slug: str | None, *, demo: bool
) -> tuple[int, ...] | None:
    """The brand of that slug in the settings' workspace; None for every brand there is."""
    if slug is None and not demo:
        return None
    owned = (
        select(Brand.id, Brand.slug)
        .join(Workspace, Workspace.id == Brand.workspace_id)
        .where(Workspace.name == settings.workspace.name)
        .order_by(Brand.slug)
    )
    rows = session.execute(owned).all()
    found = tuple(row.id for row in rows if slug in (None, row.slug))
    if slug is not None and not found:
        known = ", ".join(row.slug for row in rows)
        raise GoodnameError(f"unknown brand {slug!r}; known: {known or 'none yet'}")
    return found


def _judge_name(settings: Settings) -> str:
    from sentiment.load import open_judge

    return open_judge(settings.sentiment).name


def _has_worker(session: Session, *, now: datetime) -> bool:
    alive = session.scalars(select(Process.role).where(Process.beat_at > now - SILENT_AFTER))
    return any({"judge", "rejudge"} & set(role.split("+")) for role in alive)


def _table(counts: dict[str, int], judge: str) -> Table:
    table = Table("judge", "mentions", "")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}", "of today" if name == judge else "outdated")
    if judge not in counts:
        table.add_row(judge, "0", "of today")
    return table


def _sentence(outdated: int, was_queued: bool, run_id: int | None, *, dry_run: bool) -> str:
    if not outdated:
        return "There is nothing to be graded anew."
    mentions = _mentions(outdated) + (" is" if outdated == 1 else " are")
    if dry_run:
        return f"{mentions} outdated; without --dry-run they would be queued."
    if not was_queued and run_id is not None:
        return f"{mentions} left, and a run is under way: `goodname rejudge --status`."
    return f"{mentions} queued, behind all live posts: `goodname rejudge --status` shows how far."


def left_out(counts: Mapping[str, int], outdated: int, *, judge: str) -> str | None:
    """What to say of mentions that are of another judge and yet not to be graded anew."""
    broken = sum(counts.values()) - counts.get(judge, 0) - outdated
    if not broken:
        return None
    keep = "keeps its grade" if broken == 1 else "keep their grade"
    return (f"{_mentions(broken)} could not be judged by it and {keep}: see "
            "GET /v1/dead-letters?stage=rejudge")  # fmt: skip


def _mentions(count: int) -> str:
    return "1 mention" if count == 1 else f"{count:,} mentions"


def _length(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _as_json(run: RunState) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(run).items()
    }
