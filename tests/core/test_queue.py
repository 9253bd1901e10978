"""A job exists exactly when the transaction that made it due does."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.queue import Task, defer, defer_crawl, defer_judging

_JOBS = text("SELECT task_name, queue_name, lock, args FROM queue.procrastinate_jobs ORDER BY id")


def test_a_rollback_leaves_no_job(engine: Engine) -> None:
    with Session(engine) as session:
        defer(session, Task.JUDGE, {"post_ids": [1]})
        session.rollback()
    with Session(engine) as session:
        assert session.execute(_JOBS).all() == []


def test_a_commit_leaves_the_job(engine: Engine) -> None:
    with Session(engine) as session:
        defer_crawl(session, 7, trigger="api")
        session.commit()
    with Session(engine) as session:
        job = session.execute(_JOBS).one()
    assert (job.task_name, job.queue_name, job.lock) == ("crawl_source", "crawl", "source-7")
    assert job.args == {"source_id": 7, "trigger": "api"}


def test_a_second_crawl_waits_only_once_and_the_transaction_lives_on(session: Session) -> None:
    assert defer_crawl(session, 7, trigger="schedule") is True
    assert defer_crawl(session, 7, trigger="api") is False
    assert session.scalar(text("SELECT 1")) == 1
    assert len(session.execute(_JOBS).all()) == 1


def test_posts_are_judged_in_batches(session: Session) -> None:
    defer_judging(session, list(range(75)))
    defer_judging(session, [75, 76], batch_size=1)
    batches = [job.args["post_ids"] for job in session.execute(_JOBS)]
    assert [len(batch) for batch in batches] == [32, 32, 11, 1, 1]
    assert [one for batch in batches for one in batch] == list(range(77))


def test_a_failure_of_the_queue_is_one_of_the_database(engine: Engine) -> None:
    """Whoever schedules or crawls tries again on SQLAlchemy's errors, and on no others."""
    with engine.begin() as blocking, Session(engine) as session:
        blocking.execute(text("LOCK TABLE queue.procrastinate_jobs IN ACCESS EXCLUSIVE MODE"))
        session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            defer_crawl(session, 7, trigger="schedule")
        assert session.scalar(text("SELECT 1")) == 1, "the transaction lives on"
        with pytest.raises(OperationalError, match="lock timeout"):
            defer_judging(session, [1])
