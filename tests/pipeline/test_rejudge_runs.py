"""A run over old mentions meets live posts, broken texts, other workers and lost jobs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core.models import (
    DeadLetter,
    Delivery,
    MentionJudgement,
    PostRow,
    RejudgeRun,
)
from core.types import Severity
from pipeline.ingest import keep
from pipeline.rejudge_job import RejudgeJob
from pipeline.rejudge_runs import stop
from tests.factories import make_post
from tests.pipeline.conftest import Clock
from tests.pipeline.judges import WordJudge
from tests.pipeline.rejudging import (
    TAKE_JOB,
    LaterJudge,
    Room,
    StrictJudge,
    grades,
    hear,
    rejudging_room,
)


@pytest.fixture
def room(engine: Engine, clock: Clock) -> Room:
    return rejudging_room(engine, clock)


def test_a_mention_whose_alert_is_on_its_way_is_left_until_it_arrived(room: Room) -> None:
    for said in ("Voltano is a fraud", "Voltano is meh"):
        room.outbox.hear(make_post(text=said, published_at=room.outbox.clock()))
    with Session(room.outbox.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()
    room.run()
    assert [judge for judge, _ in grades(room)] == ["words-1", "words-2"]
    assert room.state().state == "waiting"
    assert "on its way" in room.state().note
    with Session(room.outbox.engine) as session:
        session.execute(update(Delivery).values(state="delivered"))
        session.commit()
    while room.step(later=True):
        pass
    assert {judge for judge, _ in grades(room)} == {"words-2"}
    assert room.state().state == "finished"


def test_a_post_that_somebody_holds_is_graded_later_and_nothing_waits_for_it(room: Room) -> None:
    hear(room, "Voltano is a fraud", "Voltano is meh")
    with Session(room.outbox.engine) as holder:
        first = holder.scalar(select(PostRow).order_by(PostRow.id).limit(1).with_for_update())
        assert first is not None
        walk = threading.Thread(target=room.run)
        walk.start()
        walk.join(timeout=60)
        assert not walk.is_alive()
        assert [judge for judge, _ in grades(room)] == ["words-1", "words-2"]
    while room.step(later=True):
        pass
    assert {judge for judge, _ in grades(room)} == {"words-2"}


def test_a_text_that_breaks_the_judge_keeps_its_grade_and_is_not_tried_again(room: Room) -> None:
    room.judge.name = "words-0"
    hear(room, "Voltano is a fraud", "Voltano is a fraud too")
    with Session(room.outbox.engine) as session:
        session.execute(update(PostRow).where(PostRow.text.endswith("too")).values(text="poison"))
        session.commit()
    room.run()
    assert [judge for judge, _ in grades(room)] == ["words-0", "words-1"]
    (letter,) = room.all(DeadLetter)
    assert (letter.stage, letter.reason) == ("rejudge", "words-0: the judge broke on it")
    assert (room.state().state, room.state().dead) == ("finished", 1)
    assert room.begin() == (None, False)


def test_a_judge_that_breaks_on_anything_gives_nothing_up(room: Room) -> None:
    class Lost(LaterJudge):
        def __call__(self, texts: Any) -> Any:
            raise RuntimeError(f"the GPU is gone, and {len(texts)} texts wait")

    hear(room, "Voltano is a fraud", "Voltano is meh")
    seeing, room.judge = room.judge, Lost()
    room.begin()
    assert room.step()
    assert room.all(DeadLetter) == []
    assert "the GPU is gone" in room.state().note
    room.judge = seeing
    while room.step(later=True):
        pass
    assert {judge for judge, _ in grades(room)} == {"words-2"}


def test_a_text_that_ends_the_process_is_given_up_alone(room: Room) -> None:
    hear(room, "Voltano is a fraud", "Voltano is meh", "Voltano is fine")
    room.batch_size = 3
    room.begin()
    # Two ends together, then alone: the first is graded, and the second given up.
    assert room.step(ended_before=2)
    assert [judge for judge, _ in grades(room)] == ["words-2", "words-1", "words-1"]
    assert room.step(ended_before=7)
    assert [judge for judge, _ in grades(room)] == ["words-2", "words-1", "words-1"]
    (letter,) = room.all(DeadLetter)
    assert "ended the process 7 times" in letter.reason
    while room.step():
        pass
    assert [judge for judge, _ in grades(room)] == ["words-2", "words-1", "words-2"]


def test_an_error_on_the_way_is_shown_and_tried_again(room: Room) -> None:
    hear(room, "Voltano is a fraud")
    room.begin()
    with Session(room.outbox.engine) as session:
        args = session.scalar(TAKE_JOB, {"later": True})
        session.commit()

    def broken() -> WordJudge:
        raise OSError("the model is not there")

    RejudgeJob(engine=room.outbox.engine, open_judge=broken, clock=room.outbox.clock)(args)
    assert "the model is not there" in room.state().note
    while room.step(later=True):
        pass
    assert room.state().state == "finished"


def test_a_worker_with_another_judge_waits_and_says_so(room: Room) -> None:
    hear(room, "Voltano is a fraud")
    room.begin()
    room.judge = WordJudge()
    assert room.step()
    assert grades(room) == [("words-1", Severity.HIGH)]
    assert room.state().state == "waiting"
    assert "restart the judge workers" in room.state().note
    room.judge = LaterJudge()
    while room.step(later=True):
        pass
    assert grades(room) == [("words-2", Severity.CRITICAL)]


def test_live_posts_go_first(room: Room) -> None:
    hear(room, "Voltano is a fraud")
    room.begin()
    now = room.outbox.clock()
    with Session(room.outbox.engine) as session:
        post = make_post(text="Voltano is on fire", published_at=now)
        keep(session, [post], source_id=room.outbox.source_id, crawl_run_id=None, now=now)
        session.commit()
    assert room.step()
    assert grades(room) == [("words-1", Severity.HIGH)]
    with Session(room.outbox.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs WHERE queue_name = 'judge'"))
        session.commit()
    assert room.step(later=True)
    assert grades(room) == [("words-2", Severity.CRITICAL)]


def test_a_run_is_stopped_and_another_judge_takes_over(room: Room) -> None:
    hear(room, *["Voltano is a fraud"] * 5)
    room.begin()
    room.step()
    with Session(room.outbox.engine) as session:
        assert stop(session, now=room.outbox.clock()) == 1
        session.commit()
    assert room.step()
    assert not room.step(later=True)
    assert [judge for judge, _ in grades(room)].count("words-2") == 2
    assert room.state().state == "stopped"
    room.begin()
    room.judge = StrictJudge()
    room.run()
    assert {judge for judge, _ in grades(room)} == {"words-3"}
    runs = sorted(room.all(RejudgeRun), key=lambda run: run.id)
    assert [bool(run.stopped_at) for run in runs] == [True, True, False]


def test_a_run_that_lost_its_jobs_is_taken_up_again(room: Room) -> None:
    hear(room, *["Voltano is a fraud"] * 5)
    run_id, _ = room.begin()
    room.step()
    with Session(room.outbox.engine) as session:
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()
    assert room.state().state == "interrupted"
    assert room.begin() == (run_id, True)
    while room.step():
        pass
    assert {judge for judge, _ in grades(room)} == {"words-2"}
    assert (room.state().state, room.state().done, len(room.judge.texts)) == ("finished", 5, 5)


def test_a_step_run_twice_grades_nothing_twice(room: Room) -> None:
    """A worker that dies between its commit and the queue's word has its step run again."""
    hear(room, *["Voltano is a fraud"] * 6)
    room.begin()
    with Session(room.outbox.engine) as session:
        first = session.scalar(TAKE_JOB, {"later": False})
        session.commit()
    room.job()(first)
    room.job()(first, ended_before=1)
    while room.step():
        pass
    assert len(room.judge.texts) == 6
    assert len(room.all(MentionJudgement)) == 6
    assert (room.state().state, room.state().done) == ("finished", 6)
