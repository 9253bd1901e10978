"""Old mentions get the grade of today's judge; nobody is woken, nothing is lost or done twice."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core.models import (
    Alert,
    AlertDecision,
    AlertMention,
    DeadLetter,
    Delivery,
    Mention,
    MentionJudgement,
    PostRow,
    RejudgeRun,
    Workspace,
)
from core.types import Severity
from pipeline.assess import judge_posts
from pipeline.ingest import keep
from pipeline.rejudge import Chosen
from pipeline.rejudge_job import RejudgeJob
from pipeline.rejudge_runs import begin, count_by_judge, latest, stop
from tests.factories import add_brand, make_post
from tests.pipeline.conftest import Clock, Outbox, build_outbox
from tests.pipeline.judges import WordJudge

_TAKE = text(
    "DELETE FROM queue.procrastinate_jobs WHERE id = (SELECT min(id) FROM queue.procrastinate_jobs"
    " WHERE task_name = 'rejudge_mentions' AND (:later OR scheduled_at IS NULL)) RETURNING args"
)


class LaterJudge(WordJudge):
    """Another judge: it knows that nobody should be worried by "meh", and that fraud is grave."""

    name = "words-2"

    def __call__(self, texts: Any) -> Any:
        return super().__call__(
            [text.replace("fraud", "fire").replace("meh", "") for text in texts]
        )


@dataclass
class Room:
    """A workspace with judged posts, and the job that grades them anew."""

    outbox: Outbox
    judge: WordJudge
    batch_size: int = 2

    def begin(self, **given: Any) -> tuple[int | None, bool]:
        with Session(self.outbox.engine) as session:
            chosen = Chosen(judge=self.judge.name, **given)
            came = begin(session, chosen, now=self.outbox.clock())
            session.commit()
        return came

    def step(self, *, later: bool = False, ended_before: int = 0) -> bool:
        """Run the job that waits longest; False when none waits."""
        with Session(self.outbox.engine) as session:
            args = session.scalar(_TAKE, {"later": later})
            session.commit()
        if args is None:
            return False
        self.job()(args, ended_before=ended_before)
        return True

    def job(self) -> RejudgeJob:
        return RejudgeJob(
            engine=self.outbox.engine,
            open_judge=lambda: self.judge,
            clock=self.outbox.clock,
            batch_size=self.batch_size,
        )

    def run(self, **given: Any) -> None:
        self.begin(**given)
        while self.step():
            pass

    def all(self, table: Any) -> list[Any]:
        with Session(self.outbox.engine) as session:
            rows = session.scalars(select(table)).all()
            key = sorted(column.name for column in table.__table__.primary_key)
            return sorted(rows, key=lambda row: [str(getattr(row, name)) for name in key])

    def state(self) -> Any:
        with Session(self.outbox.engine) as session:
            return latest(session, now=self.outbox.clock())[0]

    def alerting(self) -> list[dict[str, Any]]:
        """Everything that says who was told of what, and when."""
        tables = (Alert, AlertMention, AlertDecision, Delivery)
        found: list[dict[str, Any]] = []
        for table in tables:
            names = [column.name for column in table.__table__.columns]
            found += [{name: getattr(row, name) for name in names} for row in self.all(table)]
        stamps = [(m.id, m.alerted_at, m.delivered_at, m.judged_at) for m in self.all(Mention)]
        return [*found, {"stamps": stamps}]


@pytest.fixture
def room(engine: Engine, clock: Clock) -> Room:
    outbox = build_outbox(engine, clock, {"kind": "log"})
    return Room(outbox=outbox, judge=LaterJudge())


def hear(room: Room, *texts: str, **given: Any) -> None:
    """Judged by the judge of then, and told: nothing is on its way."""
    for said in texts:  # one by one: a batch of posts is kept in an order of its own
        room.outbox.hear(make_post(text=said, published_at=room.outbox.clock(), **given))
    settle(room)


def settle(room: Room) -> None:
    with Session(room.outbox.engine) as session:
        now = room.outbox.clock()
        session.execute(update(Delivery).values(state="delivered", delivered_at=now))
        session.execute(text("DELETE FROM queue.procrastinate_jobs"))
        session.commit()


def grades(room: Room) -> list[tuple[str, Severity]]:
    mentions = sorted(room.all(Mention), key=lambda m: (m.post_id, m.id))
    return [(m.judge, Severity(m.severity)) for m in mentions]


def test_old_mentions_get_the_grade_of_today_and_keep_what_was_said(room: Room) -> None:
    hear(room, "Voltano is a fraud", "Voltano is meh", "Voltano is fine")
    before = {m.id: m for m in room.all(Mention)}
    told = room.alerting()
    assert len([row for row in told if "dedup_key" in row]) == 1
    room.outbox.clock.forward(days=1)
    room.run()
    assert grades(room) == [
        ("words-2", Severity.CRITICAL),
        ("words-2", Severity.NONE),
        ("words-2", Severity.NONE),
    ]
    kept = room.all(MentionJudgement)
    assert [(k.judge, k.severity, k.is_live, k.judged_at, k.reasons) for k in kept] == [
        ("words-1", m.severity, True, m.judged_at, m.reasons) for m in before.values()
    ]
    fraud = min(room.all(Mention), key=lambda m: m.post_id)
    assert fraud.rejudged_at == room.outbox.clock()
    assert fraud.reasons[0]["because"] == 'product: "fire"'
    assert room.alerting() == told
    state = room.state()
    assert (state.state, state.total, state.done, state.dead) == ("finished", 3, 3, 0)


def test_a_second_run_does_nothing_and_a_first_one_is_not_begun_twice(room: Room) -> None:
    hear(room, *["Voltano is a fraud"] * 5)
    run_id, was_queued = room.begin()
    assert was_queued
    assert room.begin() == (run_id, False)
    assert room.step()
    assert room.begin() == (run_id, False)
    while room.step():
        pass
    read, rows = len(room.judge.texts), grades(room)
    assert room.begin() == (None, False)
    assert not room.step()
    assert (len(room.judge.texts), grades(room)) == (read, rows)
    assert read == 5


def test_a_version_is_read_once_for_all_its_brands_and_for_a_later_run(room: Room) -> None:
    with Session(room.outbox.engine, expire_on_commit=False) as session:
        workspace = session.get_one(Workspace, room.outbox.workspace_id)
        rival = add_brand(session, workspace, name="Solaris")
        session.commit()
    hear(room, "Voltano and Solaris are a fraud", "Solaris is meh")
    room.run(brand_ids=(rival.id,))
    assert len(room.judge.texts) == 2
    assert {m.judge for m in room.all(Mention) if m.brand_id == rival.id} == {"words-2"}
    assert {m.judge for m in room.all(Mention) if m.brand_id != rival.id} == {"words-1"}
    room.run()
    assert len(room.judge.texts) == 2
    assert {m.judge for m in room.all(Mention)} == {"words-2"}


def test_a_return_to_an_earlier_judge_reads_nothing_again(room: Room) -> None:
    hear(room, "Voltano is a fraud", "Voltano is meh")
    before = [(m.judge, m.severity, m.severity_p, m.reasons) for m in room.all(Mention)]
    room.run()
    room.judge = WordJudge()
    room.run()
    assert room.judge.texts == []
    assert [(m.judge, m.severity, m.severity_p, m.reasons) for m in room.all(Mention)] == before
    assert {(k.judge, k.is_live) for k in room.all(MentionJudgement)} == {
        ("words-1", True),
        ("words-2", False),
    }


def test_a_correction_stays_and_stays_the_shown_grade(room: Room) -> None:
    hear(room, "Voltano is a fraud")
    at = room.outbox.clock()
    said = {"corrected_severity": 1, "corrected_sentiment": "neutral", "corrected_at": at}
    with Session(room.outbox.engine) as session:
        session.execute(update(Mention).values(corrected_version=1, **said))
        session.commit()
    room.run()
    (mention,) = room.all(Mention)
    assert {name: getattr(mention, name) for name in said} == said
    assert (mention.judge, mention.corrected_version) == ("words-2", 1)


def test_only_the_wanted_brand_and_time_are_graded_anew(room: Room) -> None:
    hear(room, "Voltano was a fraud")
    room.outbox.clock.forward(days=10)
    hear(room, "Voltano is a fraud")
    room.run(since=room.outbox.clock())
    assert [judge for judge, _ in grades(room)] == ["words-1", "words-2"]
    with Session(room.outbox.engine) as session:
        assert count_by_judge(session, Chosen(judge="words-2")) == {"words-1": 1, "words-2": 1}


def test_the_version_that_was_judged_is_read_and_not_what_the_post_says_now(room: Room) -> None:
    hear(room, "Voltano is a fraud", external_id="p1")
    now = room.outbox.clock()
    with Session(room.outbox.engine) as session:
        # The edit no longer names the brand: the mention stays that of version 1.
        post = make_post(external_id="p1", text="never mind, all is meh", published_at=now)
        kept = keep(session, [post], source_id=room.outbox.source_id, crawl_run_id=None, now=now)
        judge_posts(session, kept.changed_ids, judge=WordJudge(), now=now)
        session.commit()
    settle(room)
    room.run()
    assert room.judge.texts == ["Voltano is a fire"]
    (mention,) = room.all(Mention)
    assert (mention.post_version, mention.severity) == (1, Severity.CRITICAL)


@pytest.mark.parametrize(("edit", "alerts"), [("fire", 1), ("meh", 0)])
def test_an_edit_after_a_rejudgement_is_news_exactly_as_without_one(
    room: Room, edit: str, alerts: int
) -> None:
    """Nobody was told of the grade of the past: that must not silence what comes."""
    room.judge = StrictJudge()
    hear(room, "Voltano is fine", external_id="p1")
    room.run()
    assert grades(room) == [("words-3", Severity.CRITICAL)]
    now = room.outbox.clock()
    with Session(room.outbox.engine) as session:
        post = make_post(external_id="p1", text=f"Voltano is {edit}", published_at=now)
        kept = keep(session, [post], source_id=room.outbox.source_id, crawl_run_id=None, now=now)
        judge_posts(session, kept.changed_ids, judge=WordJudge(), now=now)
        session.commit()
    assert len(room.outbox.alerts()) == alerts
    said = {(k.post_version, k.judge, k.is_live) for k in room.all(MentionJudgement)}
    assert said == {(1, "words-1", True), (1, "words-3", False)}
    (mention,) = room.all(Mention)
    assert (mention.post_version, mention.rejudged_at) == (2, None)


class StrictJudge(WordJudge):
    """Finds everything critical."""

    name = "words-3"

    def __call__(self, texts: Any) -> Any:
        return super().__call__(["fire" for _ in texts])


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
        args = session.scalar(_TAKE, {"later": True})
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
        first = session.scalar(_TAKE, {"later": False})
        session.commit()
    room.job()(first)
    room.job()(first, ended_before=1)
    while room.step():
        pass
    assert len(room.judge.texts) == 6
    assert len(room.all(MentionJudgement)) == 6
    assert (room.state().state, room.state().done) == ("finished", 6)
