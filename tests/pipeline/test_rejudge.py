"""Old mentions get the grade of today's judge; nobody is woken, nothing is lost or done twice."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from core.models import (
    Mention,
    MentionJudgement,
    Workspace,
)
from core.types import Severity
from pipeline.assess import judge_posts
from pipeline.ingest import keep
from pipeline.rejudge import Chosen
from pipeline.rejudge_runs import count_by_judge
from tests.factories import add_brand, make_post
from tests.pipeline.conftest import Clock
from tests.pipeline.judges import WordJudge
from tests.pipeline.rejudging import (
    Room,
    StrictJudge,
    grades,
    hear,
    rejudging_room,
    settle,
)


@pytest.fixture
def room(engine: Engine, clock: Clock) -> Room:
    return rejudging_room(engine, clock)


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
