"""What counts against a post is the end of the process, and not an error on the way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from core.models import DeadLetter, Mention
from pipeline.ingest import keep
from pipeline.jobs import JudgeJob
from tests.factories import make_post
from tests.pipeline.conftest import Clock, Outbox
from tests.pipeline.judges import WordJudge

_JOBS = text("DELETE FROM queue.procrastinate_jobs WHERE task_name = 'judge_posts' RETURNING args")


def take_job(outbox: Outbox) -> dict[str, Any]:
    """The arguments of the only judge job, which is gone then."""
    with Session(outbox.engine) as session:
        arguments: dict[str, Any] = session.execute(_JOBS).scalar_one()
        session.commit()
    return arguments


def keep_one(outbox: Outbox) -> None:
    with Session(outbox.engine) as session:
        post = make_post(text="Voltano is a fraud")
        keep(session, [post], source_id=outbox.source_id, crawl_run_id=None, now=outbox.clock())
        session.commit()


def dead_letters(outbox: Outbox) -> list[str]:
    with Session(outbox.engine) as session:
        return list(session.scalars(select(DeadLetter.reason)))


def test_errors_of_the_database_bury_no_post_however_many(outbox: Outbox, clock: Clock) -> None:
    keep_one(outbox)
    hasty = create_engine(
        outbox.engine.url,
        connect_args={"options": "-c lock_timeout=20 -c search_path=public,queue"},
    )
    job = JudgeJob(engine=hasty, open_judge=WordJudge, clock=clock)
    with Session(outbox.engine) as blocker:
        blocker.execute(text("LOCK TABLE mention IN ACCESS EXCLUSIVE MODE"))
        for _ in range(7):
            given = take_job(outbox)
            job(given["post_ids"], ended_before=given.get("ended_before", 0))
    given = take_job(outbox)
    assert given["ended_before"] == 0
    assert job(given["post_ids"], ended_before=0).mentions == 1
    assert dead_letters(outbox) == []
    hasty.dispose()


def test_an_error_forgets_no_crash_before_it(outbox: Outbox, clock: Clock) -> None:
    def broken() -> WordJudge:
        raise OSError("the model is not there")

    keep_one(outbox)
    given = take_job(outbox)
    JudgeJob(engine=outbox.engine, open_judge=broken, clock=clock)(
        given["post_ids"], ended_before=4
    )
    given = take_job(outbox)
    assert given["ended_before"] == 4
    job = JudgeJob(engine=outbox.engine, open_judge=WordJudge, clock=clock)
    assert job(given["post_ids"], ended_before=given["ended_before"] + 1).dead == 1
    (reason,) = dead_letters(outbox)
    assert "ended the process 5 times" in reason
    with Session(outbox.engine) as session:
        assert session.scalars(select(Mention)).all() == []
