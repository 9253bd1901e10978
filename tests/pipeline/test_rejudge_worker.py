"""The real worker grades old mentions anew, killed or not; the command line drives it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core.models import Mention, MentionJudgement
from core.settings import Settings
from pipeline.rejudge_runs import latest
from sentiment.load import open_judge
from tests.factories import make_post
from tests.pipeline.conftest import Clock, Outbox, build_outbox
from tests.pipeline.worker_process import worker_process
from tests.slow.processes import wait_until

ROOT = Path(__file__).parents[2]
MANY = 70
#: Loaded in a moment, for what matters here is only which mentions it grades.
QUICK = {"sentiment": {"model": "linear"}}


@pytest.fixture
def old(engine: Engine, clock: Clock) -> Outbox:
    """Mentions of a judge of then; nothing waits."""
    outbox = build_outbox(engine, clock)
    said = [f"Voltano sent a broken kettle, {n}" for n in range(MANY)]
    outbox.hear(*[make_post(text=text, published_at=clock()) for text in said])
    with Session(engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()
    return outbox


def rejudge(url: str, *arguments: str) -> Any:
    """Run `goodname rejudge … --json`; what it says."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GOODNAME_")}
    ran = subprocess.run(
        [sys.executable, "-m", "goodname", "rejudge", "--json", *arguments],
        cwd=ROOT,
        env=env | {"DATABASE_URL": url, "GOODNAME_SENTIMENT__MODEL": "linear"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def is_finished(outbox: Outbox) -> bool:
    with Session(outbox.engine) as session:
        return latest(session, now=outbox.clock())[0].state == "finished"


def done(outbox: Outbox) -> int:
    with Session(outbox.engine) as session:
        return latest(session, now=outbox.clock())[0].done


def check(outbox: Outbox, count: int = MANY) -> None:
    name = open_judge(Settings.model_validate(QUICK).sentiment).name
    with Session(outbox.engine) as session:
        rows = session.execute(select(Mention.judge, func.count()).group_by(Mention.judge))
        assert [tuple(row) for row in rows] == [(name, count)]
        kept = session.scalars(select(MentionJudgement)).all()
        state = latest(session, now=outbox.clock())[0]
    assert [(one.judge, one.is_live) for one in kept] == [("words-1", True)] * count
    assert (state.total, state.done, state.dead) == (count, count, 0)


def test_the_command_and_a_worker_bring_old_mentions_up_to_date(
    old: Outbox, database_url: str
) -> None:
    dry = rejudge(database_url, "--dry-run")
    assert (dry["mentions"], dry["outdated"], dry["queued"]) == ({"words-1": MANY}, MANY, False)
    told = rejudge(database_url)
    assert (told["queued"], told["run"]["state"], told["has_worker"]) == (True, "running", False)
    assert rejudge(database_url)["queued"] is False
    alerts = old.alerts()
    with worker_process(database_url, QUICK, queues=["judge"]) as worker:
        wait_until(lambda: is_finished(old), seconds=60, what="the end of the run")
        worker.stop()
    check(old)
    assert [alert.id for alert in old.alerts()] == [alert.id for alert in alerts]
    assert rejudge(database_url)["outdated"] == 0
    (status,) = rejudge(database_url, "--status")
    assert (status["state"], status["done"]) == ("finished", MANY)


@pytest.mark.parametrize("point", ["rejudge_before_commit", "rejudge_after_commit"])
def test_killed_there_it_goes_on_and_grades_nothing_twice(
    old: Outbox, database_url: str, point: str
) -> None:
    rejudge(database_url)
    with worker_process(database_url, QUICK, queues=["judge"], crash=point) as worker:
        assert worker.process.wait(timeout=100) == 137
    with worker_process(database_url, QUICK, queues=["judge"]):
        wait_until(lambda: is_finished(old), seconds=90, what="the end of the run")
    check(old)


@pytest.mark.slow
def test_killed_anywhere_it_goes_on(old: Outbox, database_url: str) -> None:
    more = [f"Voltano sent another broken kettle, {n}" for n in range(700)]
    old.hear(*[make_post(text=one, published_at=old.clock()) for one in more])
    with Session(old.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()
    rejudge(database_url)
    chance = random.Random(7)
    reached = [0]
    for _ in range(5):
        with worker_process(database_url, QUICK, queues=["judge"]) as worker:
            ends = time.monotonic() + 60  # a step of the killed one comes back after a while
            while done(old) == reached[-1] < MANY + 700 and time.monotonic() < ends:
                time.sleep(0.02)
            time.sleep(chance.random() / 20)
            worker.stop(signal.SIGKILL)
        reached.append(done(old))
    assert any(0 < count < MANY + 700 for count in reached), reached
    with worker_process(database_url, QUICK, queues=["judge"]):
        wait_until(lambda: is_finished(old), seconds=60, what="the end of the run")
    check(old, MANY + 700)
