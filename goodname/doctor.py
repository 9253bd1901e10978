"""`goodname doctor`: look at everything, say what is wrong and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine, func, or_, select, text
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.errors import GoodnameError
from core.migrate import is_current
from core.models import DeadLetter, Delivery, PostRow, Process, Source
from core.process import NEEDED, SILENT_AFTER
from core.settings import Settings
from core.types import RunOutcome
from crawlers import quota
from crawlers.catalogue import own_sites, spiders
from goodname.admin import operated
from goodname.reach import reached
from goodname.rejudge import describe
from pipeline.operations import open_alerts_of
from pipeline.rejudge_runs import latest

_LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    is_ok: bool
    what: str  #: what was seen
    advice: str = ""  #: what to do, when it is not ok


def examine(path: Path | None, *, demo: bool = False) -> list[Finding]:
    """Look at settings, database and work; later findings need the earlier ones."""
    try:
        settings = operated(path, demo=demo)
    except GoodnameError as error:
        return [Finding("settings", False, str(error), "correct the file or the variable")]
    findings = [Finding("settings", True, "readable"), *_sites(settings)]
    try:
        with reached(settings, demo=demo) as urls:
            engine = owner_engine(urls.owner, pool_size=1)
            findings += _database(engine, settings, now=datetime.now(UTC))
            engine.dispose()
    except GoodnameError as error:
        findings.append(Finding("database", False, str(error), "start it or correct its address"))
    return findings


def report(findings: list[Finding], *, as_json: bool) -> int:
    """Print the findings; 1 when something is wrong."""
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))  # noqa: T201
    else:
        console = Console(highlight=False, soft_wrap=True)
        for found in findings:
            mark = ("ok  ", "green") if found.is_ok else ("FAIL", "red")
            console.print(Text.assemble(mark, f" {found.name}: {found.what}"))
            if found.advice and not found.is_ok:
                console.print(f"       {found.advice}", markup=False)
    return 0 if all(found.is_ok for found in findings) else 1


def _sites(settings: Settings) -> Iterator[Finding]:
    """The operator's own files of sites: a broken one is not crawled, and stops no other."""
    own = own_sites(settings.crawl.sites)
    for kind in own.spiders:
        yield Finding(f"site {kind}", True, "readable")
    for broken in own.broken:
        advice = "correct it; `goodname sources preview PAGE --site FILE` tries it"
        yield Finding(f"site {broken.path.name}", False, broken.reason, advice)


def _database(engine: Engine, settings: Settings, *, now: datetime) -> Iterator[Finding]:
    with engine.connect() as connection:
        version = connection.scalar(text("SHOW server_version"))
        where = engine.url.set(drivername="postgresql")
        shown = where.render_as_string(hide_password=True)
        yield Finding("database", True, f"Postgres {version} at {shown}")
        if not is_current(connection):
            yield Finding("tables", False, "not the newest", "run `goodname migrate`")
            return
    yield Finding("tables", True, "the newest")
    with Session(engine) as session:
        yield from _processes(session, now=now)
        yield from _sources(session)
        yield _hearing(session)
        yield _judging(session, now=now)
        yield from _rejudging(session, now=now)
        yield from _quotas(session, now=now)
        yield from _deliveries(session, settings)
        yield _dead_letters(session)


def _processes(session: Session, *, now: datetime) -> Iterator[Finding]:
    alive = session.scalars(select(Process.role).where(Process.beat_at > now - SILENT_AFTER)).all()
    roles = {part for role in alive for part in role.split("+")}
    for needed in NEEDED:
        is_there = needed in roles
        how = (
            "goodname up" if needed in ("api", "scheduler") else f"goodname worker --queue {needed}"
        )
        yield Finding(
            f"process {needed}",
            is_there,
            "alive" if is_there else "no sign of life",
            f"start it: `{how}` (or `goodname up` for all)",
        )


def _sources(session: Session) -> Iterator[Finding]:
    sources = session.scalars(select(Source).where(Source.is_enabled).order_by(Source.slug)).all()
    if not sources:
        yield Finding(
            "sources", False, "none is enabled", "add one: settings.toml or POST /v1/sources"
        )
    for source in sources:
        outcome = source.last_outcome or "not crawled yet"
        yield Finding(
            f"source {source.slug}",
            outcome in ("ok", "empty", "not crawled yet"),
            f"{outcome}{': ' + source.last_reason if source.last_reason else ''}",
            _next_step(source),
        )


def _next_step(source: Source) -> str:
    failed = f"{source.failures} run{'' if source.failures == 1 else 's in a row'} failed"
    if source.last_outcome == RunOutcome.AUTH:
        return f"{failed}; set the credential and restart what crawls"
    return f"{failed}; it backs off and goes on by itself"


def _hearing(session: Session) -> Finding:
    silent = open_alerts_of(session)
    what = (
        f"{silent} source{'s' if silent > 1 else ''} not heard"
        if silent
        else "every source is heard"
    )
    return Finding(
        "hearing",
        silent == 0,
        what,
        "the reasons stand above, beside the page's strips and at GET /v1/operations-alerts",
    )


def _judging(session: Session, *, now: datetime) -> Finding:
    oldest = session.scalar(
        select(func.min(PostRow.seen_at)).where(
            PostRow.judged_version.is_distinct_from(PostRow.version),
            # Judged before, and now once more for a brand that came later: that is not late.
            or_(PostRow.judged_version.is_not(None), PostRow.judged_at.is_(None)),
        )
    )
    is_ok = oldest is None or now - oldest < _LATE
    seen = "nothing waits" if oldest is None else f"the oldest post waits since {oldest:%F %T} UTC"
    return Finding("judging", is_ok, seen, "start another `goodname worker --queue judge`")


def _rejudging(session: Session, *, now: datetime) -> Iterator[Finding]:
    for run in latest(session, now=now):
        is_stuck = run.state == "interrupted" or bool(run.note and run.ended_at is None)
        yield Finding(
            "rejudging",
            not is_stuck,
            describe(run, now=now),
            "run `goodname rejudge` again, or end it: `goodname rejudge --stop`",
        )


def _quotas(session: Session, *, now: datetime) -> Iterator[Finding]:
    for state in quota.states(session, spiders(), now=now):
        closed = state.closed_until
        says = f"; the site says: no more before {closed:%F %T} UTC" if closed else ""
        yield Finding(
            f"quota of {state.account}",
            closed is None,
            f"{state.used} of {state.units} units spent{says}",
            "its sources go on then; for more, ask the site for a larger quota",
        )


def _deliveries(session: Session, settings: Settings) -> Iterator[Finding]:
    totals = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    counts = dict(totals.tuples().all())
    arrived, waiting, dead = (counts.get(state, 0) for state in ("delivered", "pending", "dead"))
    yield Finding(
        "deliveries",
        dead == 0,
        f"{arrived} delivered, {waiting} pending, {dead} given up",
        "see GET /v1/deliveries?state=dead for the reasons",
    )
    if any(receiver.kind == "email" for receiver in settings.receivers) and not settings.smtp.host:
        yield Finding("e-mail", False, "no mail server", "set [smtp] host")


def _dead_letters(session: Session) -> Finding:
    count = session.scalar(select(func.count()).select_from(DeadLetter)) or 0
    what = f"{count} texts could not be processed; see GET /v1/dead-letters" if count else "none"
    return Finding("dead letters", True, what)
