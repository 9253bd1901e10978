"""A brand that was added or changed later is found in the posts kept before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core.models import Brand, Mention, PostRow
from core.queue import defer_rematch
from pipeline.assess import assess
from pipeline.ingest import keep
from pipeline.jobs import JudgeJob
from pipeline.rematch import RematchJob
from pipeline.unjudged import lock_unjudged
from tests.factories import make_post
from tests.pipeline.conftest import Clock, Outbox, build_outbox
from tests.pipeline.judges import WordJudge
from tests.pipeline.worker_process import worker_process
from tests.slow.processes import wait_until

_TODO = text(
    "SELECT id, task_name, args, queueing_lock FROM queue.procrastinate_jobs"
    " WHERE status = 'todo' ORDER BY id LIMIT 1"
)


@pytest.fixture
def room(engine: Engine, clock: Clock) -> Outbox:
    """A workspace that watches Voltano and tells the log; nothing waits."""
    return build_outbox(engine, clock)


def watch(room: Outbox, name: str = "Solaris", **given: Any) -> int:
    """Add a brand as the API and the file do."""
    with Session(room.engine) as session:
        row = Brand(workspace_id=room.workspace_id, slug=name.lower(), name=name, **given)
        session.add(row)
        session.flush()
        defer_rematch(session, row.id)
        session.commit()
        return row.id


def change(room: Outbox, brand_id: int, **given: Any) -> None:
    """Change a brand as the API does."""
    with Session(room.engine) as session:
        brand = session.get_one(Brand, brand_id, with_for_update=True)
        for name, value in given.items():
            setattr(brand, name, value)
        brand.updated_at = datetime.now(UTC)
        defer_rematch(session, brand_id)
        session.commit()


def run_next(room: Outbox, *, batch_size: int = 500) -> tuple[str, dict[str, Any]] | None:
    """Run the job that waits longest as a worker does; its name and arguments."""
    with Session(room.engine) as session:
        job = session.execute(_TODO).one_or_none()
        if job is None:
            return None
        running = "UPDATE queue.procrastinate_jobs SET status = 'doing' WHERE id = :id"
        session.execute(text(running), {"id": job.id})
        session.commit()
    if job.task_name == "judge_posts":
        judge = JudgeJob(engine=room.engine, open_judge=WordJudge, clock=room.clock)
        judge(job.args["post_ids"], ended_before=0)
    else:
        since = job.args.get("changed_at")
        RematchJob(engine=room.engine, batch_size=batch_size)(
            job.args["brand_id"],
            after_id=job.args.get("after_id", 0),
            changed_at=None if since is None else datetime.fromisoformat(since),
        )
    with Session(room.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs WHERE id = :id"), {"id": job.id})
        session.commit()
    return job.task_name, job.args


def run_all(room: Outbox, *, batch_size: int = 500) -> list[str]:
    """Run jobs until none waits; their names."""
    ran = []
    while (one := run_next(room, batch_size=batch_size)) is not None:
        ran.append(one[0])
    return ran


def of_brand(room: Outbox, brand_id: int) -> list[Mention]:
    return [mention for mention in room.mentions() if mention.brand_id == brand_id]


def keep_and_judge(room: Outbox, *texts: str, **given: Any) -> None:
    """As ``Outbox.hear``, and no job is left."""
    values = {"published_at": room.clock()} | given
    room.hear(*[make_post(text=text, **values) for text in texts])
    with Session(room.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()


def soon(is_so: Callable[[], object], what: str) -> None:
    wait_until(is_so, seconds=30, what=what)


def test_a_real_worker_finds_a_later_brand_and_a_later_alias(
    room: Outbox, database_url: str
) -> None:
    keep_and_judge(room, "Solaris caught fire, as Voltano did", "Sunny Roof was a fraud")
    before = [(m.id, m.judged_at, m.judge, m.severity) for m in room.mentions()]
    alerts = [alert.id for alert in room.alerts()]
    assert (len(before), len(alerts)) == (1, 1)
    brand_id = watch(room)
    with worker_process(database_url, {}, queues=["judge"]):
        soon(lambda: len(of_brand(room, brand_id)) == 1, "the mention of the name")
        change(room, brand_id, aliases=["Sunny Roof"])
        soon(lambda: len(of_brand(room, brand_id)) == 2, "the mention of the alias")
    others = [m for m in room.mentions() if m.brand_id != brand_id]
    assert [(m.id, m.judged_at, m.judge, m.severity) for m in others] == before
    assert {a.brand_id for a in room.alerts() if a.id not in alerts} <= {brand_id}


def test_a_second_walk_changes_nothing(room: Outbox) -> None:
    keep_and_judge(room, "Solaris and Voltano are a fraud", "nothing of that kind")
    brand_id = watch(room)
    assert run_all(room) == ["rematch_brand", "judge_posts"]
    mentions, alerts = len(room.mentions()), len(room.alerts())
    assert (mentions, alerts, len(of_brand(room, brand_id))) == (2, 2, 1)
    change(room, brand_id)
    assert run_all(room) == ["rematch_brand"]
    assert (len(room.mentions()), len(room.alerts())) == (mentions, alerts)


def test_old_posts_become_mentions_and_wake_nobody(room: Outbox) -> None:
    keep_and_judge(room, "Solaris is a fraud")
    keep_and_judge(room, "Solaris is on fire", published_at=None)
    room.clock.forward(days=31)
    brand_id = watch(room)
    run_all(room)
    assert (len(of_brand(room, brand_id)), room.alerts()) == (2, [])


def test_an_old_post_that_was_edited_wakes_nobody_for_a_later_brand(room: Outbox) -> None:
    old = room.clock() - timedelta(days=300)
    post = make_post(text="Solaris is a fraud", published_at=old)
    for said in (post, replace(post, text="Solaris is a fraud!")):
        room.hear(said)
        run_all(room)
    brand_id = watch(room)
    run_all(room)
    assert [m.post_version for m in of_brand(room, brand_id)] == [2]
    assert room.alerts() == []


def test_huge_ids_are_walked_in_batches_without_what_is_gone(room: Outbox) -> None:
    with Session(room.engine) as session:
        session.execute(text(f"ALTER TABLE post ALTER COLUMN id RESTART WITH {2**40}"))
        session.commit()
    keep_and_judge(room, *[f"Solaris is meh {n}" for n in range(5)])
    with Session(room.engine) as session:
        gone = session.scalars(select(PostRow.id).order_by(PostRow.id)).all()[2]
        session.execute(update(PostRow).where(PostRow.id == gone).values(deleted_at=room.clock()))
        session.commit()
    brand_id = watch(room)
    ran = run_all(room, batch_size=2)
    assert (ran.count("rematch_brand"), ran.count("judge_posts")) == (3, 2)
    assert {m.post_id for m in of_brand(room, brand_id)} == {
        2**40 + n for n in range(5) if 2**40 + n != gone
    }


def test_a_change_in_the_midst_of_a_walk_begins_it_anew(room: Outbox) -> None:
    keep_and_judge(room, "Sunny Roof was a fraud", *["Solaris is meh"] * 3)
    brand_id = watch(room)
    run_next(room, batch_size=1)  # the first post is behind us, and the next step waits
    change(room, brand_id, aliases=["Sunny Roof"])
    ran = run_all(room, batch_size=1)
    assert len(of_brand(room, brand_id)) == 4
    # The old walk ended at once; the new one: four posts, and a last look at nothing.
    assert ran.count("rematch_brand") == 1 + 5


def test_a_brand_that_is_switched_off_or_gone_is_looked_for_nowhere(room: Outbox) -> None:
    keep_and_judge(room, "Solaris is a fraud")
    brand_id = watch(room, is_active=False)
    assert run_all(room) == ["rematch_brand"]
    assert RematchJob(engine=room.engine)(brand_id + 1) == 0
    change(room, brand_id, is_active=True)
    run_all(room)
    assert len(of_brand(room, brand_id)) == 1


def test_a_post_that_is_judged_without_the_brand_just_now_is_not_missed(room: Outbox) -> None:
    now = room.clock()
    with Session(room.engine) as session:
        post = make_post(text="Solaris is a fraud")
        kept = keep(session, [post], source_id=room.source_id, crawl_run_id=None, now=now)
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()
    with Session(room.engine) as judging:
        posts, _ = lock_unjudged(judging, kept.new_ids)
        assess(posts, session=judging, judge=WordJudge(), now=now)  # knows of no Solaris yet
        brand_id = watch(room)
        walk = threading.Thread(target=run_next, args=(room,))
        walk.start()
        wait_until(lambda: _is_waiting_for_a_row(room), seconds=10, what="the walk waits")
        judging.commit()
    walk.join(timeout=10)
    assert run_all(room) == ["judge_posts"]
    assert len(of_brand(room, brand_id)) == 1


def _is_waiting_for_a_row(room: Outbox) -> bool:
    with Session(room.engine) as session:
        return bool(
            session.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
            )
        )


def test_a_step_of_a_killed_worker_is_walked_again(room: Outbox, database_url: str) -> None:
    keep_and_judge(room, "Solaris is a fraud")
    brand_id = watch(room)
    with Session(room.engine) as session:
        session.execute(text("UPDATE queue.procrastinate_jobs SET status = 'doing'"))
        session.commit()
    with worker_process(database_url, {}, queues=["judge"]):
        soon(lambda: of_brand(room, brand_id), "the mention")
        soon(lambda: not _jobs(room), "an empty queue")


def _jobs(room: Outbox) -> list[Any]:
    with Session(room.engine) as session:
        return list(session.execute(text("SELECT id FROM queue.procrastinate_jobs")).all())


def test_a_walk_waits_once_however_often_a_brand_is_changed(room: Outbox) -> None:
    brand_id = watch(room)
    with Session(room.engine) as session:
        at = datetime.now(UTC)
        assert defer_rematch(session, brand_id) is False
        assert defer_rematch(session, brand_id, after_id=7, changed_at=at) is True
        assert defer_rematch(session, brand_id, after_id=7, changed_at=at) is False
        assert defer_rematch(session, brand_id, changed_at=at + timedelta(seconds=1)) is True
        session.rollback()
    assert len(_jobs(room)) == 1
