from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.models import Process, Source
from core.process import NEEDED
from core.queue import defer_crawl, defer_judging
from pipeline.rejudge import Chosen
from pipeline.rejudge_runs import begin, note_wait, stop
from tests.api.conftest import Ask, Clock, Customer
from tests.api.rows import add_post
from tests.factories import NOW


def add_process(session: Session, role: str, *, beat_seconds_ago: float) -> None:
    session.add(
        Process(
            id=uuid4(),
            role=role,
            host="secret-host.example",
            pid=4242,
            started_at=NOW - timedelta(hours=1),
            beat_at=NOW - timedelta(seconds=beat_seconds_ago),
        )
    )


def test_health_tells_of_queues_processes_and_waiting_posts(
    ask: Ask, session: Session, source: Source
) -> None:
    defer_crawl(session, source.id, trigger="api")
    defer_judging(session, [1, 2])
    for role in ("api", "crawl", "judge+deliver", "scheduler"):
        add_process(session, role, beat_seconds_ago=1.5)
    long_ago = NOW - timedelta(days=90)  # judged then, and reopened for a brand added now
    add_post(session, source, judged_version=None, judged_at=long_ago, seen_at=long_ago)
    add_post(
        session, source, judged_version=None, judged_at=None, seen_at=NOW - timedelta(minutes=2)
    )
    add_post(session, source, judged_version=None, judged_at=None, seen_at=NOW)
    session.commit()
    answer = ask("GET", "/v1/health")
    told = answer.json()
    assert (answer.status_code, told["status"], told["database"]) == (200, "ok", "ok")
    assert {one["queue"]: one["waiting"] for one in told["queues"]} == {"crawl": 1, "judge": 1}
    assert told["processes"] == [
        {"role": role, "running": 1, "silent": 0, "youngest_beat_seconds": 1.5}
        for role in ("api", "crawl", "judge+deliver", "scheduler")
    ]
    assert told["oldest_unjudged_seconds"] == 120
    assert "secret-host" not in answer.text
    assert "4242" not in answer.text


def test_health_tells_how_far_old_mentions_are(
    ask: Ask, session: Session, ours: Customer, clock: Clock
) -> None:
    assert ask("GET", "/v1/health").json()["rejudging"] is None
    run_id, _ = begin(session, Chosen(judge="words-2"), now=NOW)
    session.commit()
    clock.pass_time(seconds=10)
    told = ask("GET", "/v1/health").json()
    assert {one["queue"]: one["waiting"] for one in told["queues"]} == {"rejudge": 1}
    assert told["rejudging"] == {
        "state": "running",
        "judge": "words-2",
        "done": 0,
        "could_not_be_judged": 0,
        "total": 1,
        "seconds_left": None,
    }
    assert run_id is not None
    note_wait(session, run_id, why="a secret path")
    session.commit()
    clock.pass_time(seconds=10)
    answer = ask("GET", "/v1/health")
    assert answer.json()["rejudging"]["state"] == "waiting"
    assert "secret" not in answer.text
    assert stop(session, now=NOW) == 1
    session.commit()
    clock.pass_time(seconds=10)
    assert ask("GET", "/v1/health").json()["rejudging"] is None


def test_a_role_that_went_silent_degrades_and_a_dead_twin_does_not(
    ask: Ask, session: Session, clock: Clock
) -> None:
    for role in NEEDED:
        add_process(session, role, beat_seconds_ago=2)
    add_process(session, "judge", beat_seconds_ago=300)
    add_process(session, "rejudge", beat_seconds_ago=100_000)
    session.commit()
    told = ask("GET", "/v1/health").json()
    assert told["status"] == "ok"
    assert {one["role"]: (one["running"], one["silent"]) for one in told["processes"]} == {
        "api": (1, 0), "crawl": (1, 0), "deliver": (1, 0), "judge": (1, 1), "scheduler": (1, 0)
    }  # fmt: skip
    clock.pass_time(seconds=90)
    assert ask("GET", "/v1/health").json()["status"] == "degraded"


@pytest.mark.parametrize("forgotten", [True, False])
def test_a_needed_role_that_nobody_serves_degrades_and_is_named(
    ask: Ask, session: Session, forgotten: bool
) -> None:
    for role in ("api", "scheduler", "crawl", "judge"):
        add_process(session, role, beat_seconds_ago=2)
    if forgotten:  # else it stopped cleanly, which takes its row away
        add_process(session, "deliver", beat_seconds_ago=3601)
    session.commit()
    told = ask("GET", "/v1/health").json()
    assert told["status"] == "degraded"
    assert [one for one in told["processes"] if not one["running"]] == [
        {"role": "deliver", "running": 0, "silent": 0, "youngest_beat_seconds": None}
    ]


def test_a_flood_of_questions_looks_once_a_second(ask: Ask, session: Session, clock: Clock) -> None:
    first = ask("GET", "/v1/health").json()
    add_process(session, "judge", beat_seconds_ago=2)
    session.commit()
    assert ask("GET", "/v1/health").json() == first
    clock.pass_time(seconds=1)
    assert ask("GET", "/v1/health").json() != first
