"""The worker process, with the shipped judge, the real queue and a real receiver."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from core.models import AlertRule, Mention, PostRow
from core.queue import Queue
from pipeline.housekeeping import delete_old_jobs, judge_forgotten, retry_stalled
from pipeline.ingest import keep
from tests.factories import make_post
from tests.pipeline.conftest import SECRET, Clock, Outbox, build_outbox
from tests.pipeline.receivers import Scripted
from tests.pipeline.worker_process import worker_process

ALL = ["negative", "neutral", "positive"]


@pytest.fixture
def everything(engine: Engine, clock: Clock, hook: Scripted) -> Outbox:
    """A workspace that is told of every mention at once, however it is judged."""
    webhook = {"kind": "webhook", "address": hook.url, "secret": SECRET}
    made = build_outbox(engine, clock, webhook, allowed_addresses=[hook.address])
    with Session(engine) as session:
        session.execute(update(AlertRule).values(sentiments=ALL, at_once_severity=0))
        session.commit()
    return made


def settings_of(outbox: Outbox, **delivery: Any) -> dict[str, Any]:
    given = outbox.settings.delivery.model_dump() | delivery
    return {"delivery": given}


def keep_some(outbox: Outbox, count: int) -> None:
    now = datetime.now(UTC)
    said = [f"Voltano sent me a broken kettle, {n}" for n in range(count)]
    posts = [make_post(text=text, published_at=now) for text in said]
    with Session(outbox.engine) as session:
        keep(session, posts, source_id=outbox.source_id, crawl_run_id=None, now=now)
        session.commit()


def test_a_kept_post_is_judged_and_delivered_within_seconds(
    everything: Outbox, hook: Scripted, database_url: str, record_property: Any
) -> None:
    with worker_process(database_url, settings_of(everything)) as worker:
        worker.wait_for("worker_started")
        keep_some(everything, 1)
        assert len(hook.wait_for(1, seconds=30)) == 1
        keep_some(everything, 1)  # the model is loaded now
        assert len(hook.wait_for(2, seconds=10)) == 2
        worker.wait_for("delivered")
        code, seconds = worker.stop()
    assert (code, seconds < 5) == (0, True)
    second = everything.mentions()[1]
    stamps = (second.seen_at, second.judged_at, second.alerted_at, second.delivered_at)
    assert all(stamps)
    assert second.delivered_at is not None
    taken = (second.delivered_at - second.seen_at).total_seconds()
    print(f"seen to delivered: {taken:.3f} s")  # noqa: T201
    record_property("seen_to_delivered_seconds", taken)
    assert taken < 5


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_within_five_seconds_while_a_receiver_hangs(
    everything: Outbox, hook: Scripted, database_url: str, sign: int
) -> None:
    hook.hang_on, hook.hang_seconds = "/", 12
    with worker_process(database_url, settings_of(everything, timeout_seconds=30)) as worker:
        worker.wait_for("worker_started")
        keep_some(everything, 1)
        hook.wait_for(1, seconds=30)
        code, seconds = worker.stop(sign)
    assert (code, seconds < 5) == (0, True)
    assert everything.deliveries()[0].state == "pending"


def test_a_worker_goes_on_after_its_connections_were_cut(
    everything: Outbox, hook: Scripted, database_url: str
) -> None:
    with worker_process(database_url, settings_of(everything)) as worker:
        worker.wait_for("worker_started")
        keep_some(everything, 1)
        hook.wait_for(1, seconds=30)
        for _ in range(2):
            with Session(everything.engine) as session:
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            everything.engine.dispose()
            time.sleep(0.5)
        keep_some(everything, 5)
        assert len({got.headers["webhook-id"] for got in hook.wait_for(6, seconds=20)}) == 6
        assert worker.process.poll() is None


def test_judging_and_delivering_may_run_apart(
    everything: Outbox, hook: Scripted, database_url: str
) -> None:
    settings = settings_of(everything)
    with (
        worker_process(database_url, settings, queues=["judge"]) as judge,
        worker_process(database_url, settings, queues=["deliver"]) as deliver,
    ):
        judge.wait_for("worker_started")
        deliver.wait_for("worker_started")
        keep_some(everything, 3)
        assert len(hook.wait_for(3, seconds=30)) == 3
        assert not any('"posts_judged"' in line for line in deliver.lines)
        assert not any('"delivered"' in line for line in judge.lines)


def test_posts_whose_job_was_lost_are_found_again(everything: Outbox) -> None:
    keep_some(everything, 3)
    with Session(everything.engine) as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.commit()
    soon = datetime.now(UTC) + timedelta(seconds=30)
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert judge_forgotten(everything.engine, now=soon) == 0
    assert judge_forgotten(everything.engine, now=later) == 3
    assert judge_forgotten(everything.engine, now=later) == 0  # its job waits


def test_posts_are_found_again_while_other_posts_wait_or_are_judged(everything: Outbox) -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    keep_some(everything, 2)
    with Session(everything.engine) as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.commit()
    keep_some(everything, 3)
    with Session(everything.engine) as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
        session.commit()
    keep_some(everything, 4)
    assert judge_forgotten(everything.engine, now=later) == 2
    assert judge_forgotten(everything.engine, now=later) == 0


def test_a_stalled_job_whose_like_waits_makes_way(everything: Outbox) -> None:
    with Session(everything.engine) as session:
        for status in ("doing", "doing", "todo"):
            session.execute(
                text(
                    "INSERT INTO procrastinate_jobs"
                    " (queue_name, task_name, status, queueing_lock) VALUES ('judge',"
                    " 'rematch_brand', CAST(:status AS procrastinate_job_status), :lock)"
                ),
                {"status": status, "lock": "b" if status == "todo" else "a"},
            )
        session.commit()
    assert retry_stalled(everything.engine, [Queue.JUDGE]) == 1
    with Session(everything.engine) as session:
        left = session.scalars(
            text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY 1")
        )
        assert list(left) == ["a", "b"]


def test_jobs_of_dead_workers_go_back_and_those_of_living_ones_do_not(
    everything: Outbox,
) -> None:
    with Session(everything.engine) as session:
        session.execute(
            text(
                "INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now()), (now() - interval '1 minute')"
            )
        )
        alive, dead = session.scalars(
            text("SELECT id FROM procrastinate_workers ORDER BY last_heartbeat DESC")
        )
        for worker, queue in ((alive, "judge"), (dead, "judge"), (None, "judge"), (dead, "crawl")):
            session.execute(
                text(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
                    " VALUES (:queue, 'judge_posts', 'doing', :worker)"
                ),
                {"queue": queue, "worker": worker},
            )
        session.commit()
    assert retry_stalled(everything.engine, [Queue.JUDGE]) == 2
    with Session(everything.engine) as session:
        found = session.execute(
            text("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id")
        ).all()
    assert [tuple(one) for one in found] == [("doing", 0), ("todo", 1), ("todo", 1), ("doing", 0)]


def test_ended_jobs_are_deleted_after_three_days(everything: Outbox) -> None:
    keep_some(everything, 1)
    with Session(everything.engine) as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
        session.commit()
    now = datetime.now(UTC)
    assert delete_old_jobs(everything.engine, now=now + timedelta(days=2)) == 0
    assert delete_old_jobs(everything.engine, now=now + timedelta(days=4)) == 1


def test_the_shipped_judge_marks_every_post(
    everything: Outbox, hook: Scripted, database_url: str
) -> None:
    with worker_process(database_url, settings_of(everything)) as worker:
        worker.wait_for("worker_started")
        keep_some(everything, 80)
        assert len(hook.wait_for(80, seconds=60)) >= 80
    with Session(everything.engine) as session:
        waiting = session.scalar(
            select(func.count()).select_from(PostRow).where(PostRow.judged_version.is_(None))
        )
        assert (waiting, session.scalar(select(func.count()).select_from(Mention))) == (0, 80)
