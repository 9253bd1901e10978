"""From runs to hours: what was read, what was not, what heals and what stays a gap."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.models import Source, SourceHour
from core.types import RunOutcome
from crawlers.contract import Promise, Request
from crawlers.coverage import HOUR, Reading, State, Stretch, hour_of, marks, stretch
from crawlers.engine.profile import Profile, with_page
from crawlers.engine.record import Stand, begin, finish
from crawlers.engine.verdict import NOTHING_CHANGED, Tally, Verdict
from pipeline.housekeeping import delete_old_hours
from pipeline.source_hours import kept_since, note_idle_hours
from tests.crawlers.answering import walk
from tests.factories import NOW, add_source


def _at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def _run(
    session: Session, source: Source, hours: float, outcome: str = "ok", **given: object
) -> None:
    """One run of five minutes, as the engine ends it."""
    begun = begin(session, source.id, now=_at(hours))
    assert begun is not None
    if given.pop("is_limited", False):
        begun = type(begun)(
            **{n: getattr(begun, n) for n in begun.__slots__} | {"is_limited": True}
        )
    oldest, newest = given.pop("oldest", None), given.pop("newest", None)
    told: Any = {
        "oldest": _at(oldest).isoformat() if oldest is not None else None,  # type: ignore[arg-type]
        "newest": _at(newest).isoformat() if newest is not None else None,  # type: ignore[arg-type]
    }
    profile = given.pop("profile", told)
    is_whole = bool(given.pop("is_whole", outcome == "ok"))
    verdict = Verdict(
        outcome=RunOutcome(outcome), reason=str(given.pop("reason", "")), is_whole=is_whole
    )
    stand = Stand(following=None, ahead={}, seen={})
    finish(
        session, begun, verdict, tally=Tally(), stand=stand, profile=profile,
        now=_at(hours) + timedelta(minutes=5),
    )  # fmt: skip
    session.flush()


def _hours(session: Session, source: Source) -> dict[int, tuple[str, str | None]]:
    rows = session.scalars(select(SourceHour).where(SourceHour.source_id == source.id))
    return {round((row.hour - NOW) / HOUR): (row.state, row.reason) for row in rows}


def _states(session: Session, source: Source) -> str:
    known = _hours(session, source)
    return "".join(known[hour][0][0] for hour in sorted(known))


def test_whole_runs_read_every_hour_between_them(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, oldest=-3, newest=0)
    _run(session, source, 2.5, oldest=-3, newest=2)
    assert _states(session, source) == "rrrrrp"
    assert _hours(session, source)[2] == ("partly", "read until 14:29")
    assert min(_hours(session, source)) == -3


def test_a_failure_leaves_its_hours_unread_and_a_whole_run_heals_them(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, oldest=0)
    _run(session, source, 2.2, "blocked", reason="HTTP 403")
    assert _hours(session, source)[1] == ("unread", "blocked: HTTP 403")
    assert _hours(session, source)[0] == ("partly", "blocked: HTTP 403")
    _run(session, source, 4.2, "error", reason="no answer")
    assert _states(session, source) == "puuuu"
    _run(session, source, 5.2)
    assert _states(session, source) == "rrrrrp"
    row = session.get_one(SourceHour, (source.id, _at(1)))
    assert row.read_at == _at(5.2) + timedelta(minutes=5)


def test_a_list_that_no_longer_goes_back_so_far_leaves_a_gap(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, is_limited=True, oldest=-2, newest=0)
    _run(session, source, 8.2, is_limited=True, oldest=5.5, newest=8)
    assert _states(session, source)[2:] == "puuuuprrp"
    assert "lists nothing older than 2026-03-02 17:30" in str(_hours(session, source)[3][1])
    assert _hours(session, source)[5] == ("partly", "read from 17:30 on")
    _run(session, source, 9.2, is_limited=True, oldest=6, newest=9)
    assert _states(session, source)[2:] == "puuuuprrrp"


@pytest.mark.parametrize("days", [6, 10])
def test_a_search_of_a_week_loses_what_lies_before_it(session: Session, days: int) -> None:
    source, week = add_source(session, kind="x"), timedelta(days=7) / HOUR
    first, _ = _searched(0, cursor={})
    _run(session, source, 0, profile=first)
    assert min(_hours(session, source)) == -week
    again, asked = _searched(days, cursor={"newest_id": id_of(_at(-30))})
    assert asked == 2, "what the cursor names is too old in either case"
    _run(session, source, days * 24, profile=again)
    states = {hour: state for hour, (state, _) in _hours(session, source).items() if hour > 0}
    lost = [hour for hour, state in states.items() if state == "unread"]
    begin = days * 24 - week
    assert lost == [hour for hour in states if hour < begin]
    assert {states[hour] for hour in states if begin < hour < days * 24 - 1} == {"read"}
    if lost:
        assert f"nothing older than {_at(begin):%Y-%m-%d}" in str(_hours(session, source)[1][1])


def _searched(days: int, *, cursor: dict[str, str]) -> tuple[dict[str, Any], int]:
    """The profile of a run of X on a day with one post an hour old, and how often it asked."""
    now = NOW + timedelta(days=days)

    def site(request: Request) -> object:
        if "since_id" in request.url:
            return 400, {"errors": [{"message": "'since_id' must be created after last week"}]}
        post = {"id": id_of(now - HOUR), "text": "kavira", "created_at": (now - HOUR).isoformat()}
        return {"data": [post], "meta": {"result_count": 1}}

    pages, asked = walk("x", site, cursor=cursor, at=now)
    profile = Profile()
    for page in pages:
        profile = with_page(profile, page, promise=Promise(), fetched_at=now, key="")
    return profile.as_json(), len(asked)


def id_of(moment: datetime) -> str:
    return str((int(moment.timestamp() * 1000) - 1288834974657) << 22)


def test_a_list_that_meets_what_we_had_leaves_none(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, is_limited=True, oldest=-2, newest=-1)
    _run(session, source, 8.2, is_limited=True, oldest=-1, newest=8)
    assert _states(session, source) == "rrrrrrrrrrp"


def test_an_unchanged_page_reads_the_hours_too(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, oldest=0, newest=0)
    _run(session, source, 3.2, is_whole=False, reason=NOTHING_CHANGED, newest=0)
    assert _states(session, source) == "rrrp"


def test_a_run_that_stopped_at_its_limit_has_read_partly(session: Session) -> None:
    source = add_source(session)
    _run(session, source, 0.2, oldest=0)
    _run(session, source, 2.2, is_whole=False, reason="stopped after 50 pages")
    assert _states(session, source) == "ppp"
    assert _hours(session, source)[1][1] == "ok: stopped after 50 pages"


def test_hours_without_a_run_say_why(session: Session) -> None:
    source = add_source(session, created_at=_at(-2))
    assert note_idle_hours(session, now=_at(0.5)) == 2
    assert _hours(session, source)[-1] == ("unread", "not crawled yet")
    _run(session, source, 0.6, oldest=0)
    source.is_enabled = False
    session.flush()
    assert note_idle_hours(session, now=_at(3.5)) == 2
    assert _hours(session, source)[2] == ("unread", "switched off")
    assert note_idle_hours(session, now=_at(3.5)) == 0
    _run(session, source, 5.2)
    assert _states(session, source) == "uurrrrrp"


def test_the_current_hour_is_never_called_read() -> None:
    reading = Reading(began_at=_at(3), ended_at=_at(3.5), is_whole=True, oldest=_at(0))
    found = marks(reading, before=None, looked_until=None)
    assert {mark.hour: mark.state for mark in found}[_at(3)] is State.PARTLY
    assert [mark.state for mark in found[:3]] == [State.READ] * 3


def test_an_hour_is_read_exactly_when_every_minute_of_it_was() -> None:
    """Against a model that counts minutes: random runs, failures and gaps."""
    for seed in range(60):
        draw = random.Random(seed)
        minutes: set[int] = set()
        states: dict[datetime, State] = {}
        read_until, at, looked = None, 0, None
        before: Stretch | None = None
        for _ in range(12):
            at += draw.randrange(10, 300)
            kind = draw.choice(["whole", "whole", "whole", "failed", "gap"])
            oldest = at - draw.randrange(1, 60) if kind == "gap" or read_until is None else None
            reading = Reading(
                began_at=NOW + timedelta(minutes=at),
                ended_at=NOW + timedelta(minutes=at),
                is_whole=kind != "failed",
                has_gap=kind == "gap",
                oldest=NOW + timedelta(minutes=oldest) if oldest is not None else None,
                reason="blocked",
            )
            for mark in marks(reading, before=before, looked_until=looked):
                if states.get(mark.hour) is not State.READ:
                    states[mark.hour] = mark.state
            if reading.is_whole:
                before = stretch(reading, before=before)
            if kind != "failed":
                is_lost = kind == "gap" and oldest is not None and (read_until or 0) < oldest
                since = oldest if read_until is None or is_lost else read_until
                minutes |= set(range(since or 0, at))
                read_until = at
            looked = reading.ended_at
        for hour, state in states.items():
            start = round((hour - NOW).total_seconds() / 60)
            whole = all(minute in minutes for minute in range(max(start, 0), start + 60))
            if state is State.READ:
                assert whole, (seed, hour)


def test_hours_are_those_of_utc() -> None:
    assert hour_of(datetime.fromisoformat("2026-03-02T13:45:10+05:30")) == _at(-4)


def test_hours_between_runs_that_fail_say_how_the_last_one_ended(session: Session) -> None:
    source = add_source(session, created_at=_at(0), interval_seconds=4 * 3600)
    _run(session, source, 0.2, "error", reason="HTTP 404: not found")
    assert note_idle_hours(session, now=_at(3.5)) == 2
    reason = "waits for the next run; the last one ended as error: HTTP 404: not found"
    assert _hours(session, source)[2] == ("unread", reason)
    source.last_reason = "x" * 2000
    session.flush()
    note_idle_hours(session, now=_at(4.1))
    assert len(_hours(session, source)[3][1] or "") == 500


def test_hours_of_long_ago_are_forgotten_and_no_younger_ones(engine: Engine) -> None:
    kept = kept_since(NOW, keep_days=400)
    with Session(engine) as session:
        source = add_source(session)
        session.flush()
        for ago in range(1, 12_001):
            row = SourceHour(source_id=source.id, hour=kept - ago * HOUR, state="read")
            session.add(row)
        session.add(SourceHour(source_id=source.id, hour=kept, state="read"))
        session.commit()
    assert delete_old_hours(engine, keep_days=400, now=NOW) == 12_000
    assert delete_old_hours(engine, keep_days=400, now=NOW) == 0
    with Session(engine) as session:
        assert session.scalar(select(func.min(SourceHour.hour))) == kept
