"""Kept posts become mentions, alerts and deliveries, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core.models import (
    Alert,
    AlertDecision,
    AlertMention,
    AlertRule,
    Brand,
    DeadLetter,
    Delivery,
    Mention,
    PostRow,
    Source,
    Workspace,
)
from core.types import Post, PublishedQuality
from pipeline.assess import Assessed, judge_posts
from pipeline.ingest import keep
from pipeline.judged_text import judged_text
from tests.factories import (
    add_brand,
    add_receiver,
    add_rule,
    add_source,
    add_workspace,
    make_post,
)
from tests.pipeline.judges import WordJudge


@dataclass
class World:
    """A workspace that watches Voltano, and a source."""

    session: Session
    workspace: Workspace
    brand: Brand
    rule: AlertRule
    source: Source
    judge: WordJudge
    now: datetime

    def hear(self, *posts: Post, later: timedelta = timedelta()) -> Assessed:
        """Keep posts and judge them."""
        at = self.now + later
        kept = keep(self.session, posts, source_id=self.source.id, crawl_run_id=None, now=at)
        return self.assess([*kept.new_ids, *kept.changed_ids], later=later)

    def assess(self, ids: Sequence[int], *, later: timedelta = timedelta()) -> Assessed:
        """Judge what waits of the ids."""
        return judge_posts(self.session, ids, judge=self.judge, now=self.now + later)

    def all(self, table: Any) -> list[Any]:
        """Every row, fresh."""
        self.session.expire_all()
        return list(self.session.scalars(select(table)))

    def reasons(self) -> list[str]:
        """What the rule decided, in order."""
        found = self.session.scalars(
            select(AlertDecision.reason).order_by(
                AlertDecision.mention_id, AlertDecision.post_version
            )
        )
        return list(found)


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    return build(session, now)


def build(session: Session, now: datetime) -> World:
    workspace = add_workspace(session)
    receivers = [add_receiver(session, workspace) for _ in range(2)]
    return World(
        session=session,
        workspace=workspace,
        brand=add_brand(session, workspace),
        rule=add_rule(session, workspace, *receivers),
        source=add_source(session),
        judge=WordJudge(),
        now=now,
    )


def test_a_severe_complaint_reaches_the_outbox_with_every_stamp(world: World) -> None:
    seen = make_post(title="My Voltano", text="It caught fire", published_at=world.now)
    result = world.hear(seen)
    (mention,) = world.all(Mention)
    (alert,) = world.all(Alert)
    deliveries = world.all(Delivery)
    (post,) = world.all(PostRow)
    assert (result.posts, result.mentions, result.alerts, result.dead) == (1, 1, 1, 0)
    assert (mention.sentiment, mention.severity, mention.categories) == (
        "negative",
        4,
        ["product"],
    )
    assert (mention.workspace_id, mention.brand_id) == (world.workspace.id, world.brand.id)
    assert (mention.matched, mention.judge, mention.language) == (["voltano"], "words-1", "en")
    assert mention.sentiment_p == {"negative": 1.0, "neutral": 0.0, "positive": 0.0}
    assert mention.severity_p["critical"] == 1.0
    assert mention.seen_at == mention.judged_at == mention.alerted_at == world.now
    assert (post.judged_version, post.judged_at) == (1, world.now)
    assert (alert.severity, alert.is_grouped, alert.state) == (4, False, "triggered")
    assert alert.triggered_at == alert.notify_at == world.now
    assert len(deliveries) == len({d.idempotency_key for d in deliveries}) == 2
    assert {d.next_attempt_at for d in deliveries} == {world.now}
    assert jobs(world.session, "deliver_due") == 1


def jobs(session: Session, name: str) -> int:
    count = session.scalar(
        text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name"), {"name": name}
    )
    return count or 0


def test_spans_point_into_the_judged_text(world: World) -> None:
    world.hear(make_post(title="My Voltano", text="It caught fire"))
    (mention,) = world.all(Mention)
    (post,) = world.all(PostRow)
    (span,) = mention.reasons[0]["spans"]
    assert judged_text(post.title, post.text)[span["start"] : span["end"]] == "fire"
    assert mention.reasons[0]["because"] == 'product: "fire"'


def test_only_matched_posts_are_judged_and_all_are_marked(world: World) -> None:
    world.hear(make_post(text="Rivalo is on fire"), make_post(text="Voltano is broken"))
    assert world.judge.texts == ["Voltano is broken"]
    assert {post.judged_version for post in world.all(PostRow)} == {1}
    assert len(world.all(Mention)) == 1


def test_a_page_about_the_brand_needs_no_name_in_the_text(world: World, session: Session) -> None:
    add_brand(session, world.workspace, name="Rivalo", domains=["rivalo.example"])
    world.source.params = {"domain": "rivalo.example"}
    session.flush()
    world.hear(make_post(text="They are broken"), make_post(text="x", extra={"about": "Voltano"}))
    assert len(world.all(Mention)) == 3


def test_a_post_about_two_brands_is_judged_once_and_is_two_mentions(
    world: World, session: Session
) -> None:
    other = add_workspace(session)
    add_brand(session, other, name="Rivalo")
    result = world.hear(make_post(text="Voltano and Rivalo are a fraud"))
    assert (result.mentions, result.alerts, len(world.judge.texts)) == (2, 1, 1)
    assert {m.workspace_id for m in world.all(Mention)} == {world.workspace.id, other.id}


def test_judging_again_changes_nothing(world: World) -> None:
    world.hear(make_post(text="Voltano fraud"))
    (post,) = world.all(PostRow)
    assert world.assess([post.id]).posts == 0
    post.judged_version = None
    world.session.flush()
    again = world.assess([post.id])
    assert (again.posts, again.mentions, again.alerts) == (1, 0, 0)
    assert (len(world.all(Mention)), len(world.all(Alert)), world.reasons()) == (
        1,
        1,
        ["severe_at_once"],
    )


def test_an_edit_for_the_worse_alerts_again_and_another_does_not(world: World) -> None:
    post = make_post(text="Voltano is meh")
    for hour, said in enumerate(["is meh", "is a fraud", "is a fraud!", "is on fire"]):
        world.hear(replace(post, text=f"Voltano {said}"), later=timedelta(hours=hour))
    assert world.reasons() == ["too_mild", "severe_at_once", "not_worse", "severe_at_once"]
    (mention,) = world.all(Mention)
    assert (mention.post_version, mention.severity) == (4, 4)
    assert mention.alerted_at == world.now + timedelta(hours=1)
    assert len(world.all(Alert)) == 2


def test_a_post_that_flips_between_two_texts_alerts_once(world: World) -> None:
    post = make_post()
    for hour, said in enumerate(["is a fraud", "is meh", "is a fraud", "is fine", "is a fraud"]):
        world.hear(replace(post, text=f"Voltano {said}"), later=timedelta(hours=hour))
    assert world.reasons() == [
        "severe_at_once", "too_mild", "not_worse", "other_sentiment", "not_worse"
    ]  # fmt: skip


def test_an_edit_that_first_names_the_brand_in_an_old_post_alerts(world: World) -> None:
    post = make_post(text="It is a fraud", published_at=world.now - timedelta(days=300))
    world.hear(post)
    world.hear(replace(post, text="Voltano is a fraud"), later=timedelta(hours=1))
    assert world.reasons() == ["severe_at_once"]


def test_a_month_is_told_for_thirty_days_after_its_end(world: World) -> None:
    dated: dict[str, Any] = {
        "published_at": world.now.replace(month=1, day=1),
        "published_quality": PublishedQuality.MONTH,
    }
    world.hear(make_post(text="Voltano is a fraud", **dated))
    assert world.reasons() == ["severe_at_once"]


def test_mild_ones_gather_in_one_group(world: World) -> None:
    first = world.hear(make_post(text="Voltano broken"))
    second = world.hear(make_post(text="Voltano broken too"), later=timedelta(minutes=5))
    assert (first.alerts, second.alerts) == (1, 0)
    (alert,) = world.all(Alert)
    assert (alert.is_grouped, alert.severity) == (True, 2)
    assert alert.notify_at == world.now + timedelta(minutes=15)
    assert len(world.all(AlertMention)) == 2
    assert {d.next_attempt_at for d in world.all(Delivery)} == {alert.notify_at}
    assert world.reasons() == ["grouped_new", "grouped_joined"]


def test_a_rise_in_a_group_goes_at_once(world: World) -> None:
    world.hear(make_post(text="Voltano broken"))
    result = world.hear(make_post(text="Voltano fire"), later=timedelta(minutes=1))
    assert result.alerts == 1
    at_once = [a for a in world.all(Alert) if not a.is_grouped]
    assert [a.notify_at for a in at_once] == [world.now + timedelta(minutes=1)]


def test_a_group_is_closed_when_its_time_has_come(world: World) -> None:
    world.hear(make_post(text="Voltano broken"))
    world.hear(make_post(text="Voltano broken"), later=timedelta(minutes=15))
    assert len(world.all(Alert)) == 2


def test_a_group_that_is_being_told_is_closed(world: World) -> None:
    world.hear(make_post(text="Voltano broken"))
    world.all(Delivery)[0].attempts = 1
    world.session.flush()
    world.hear(make_post(text="Voltano broken"), later=timedelta(minutes=1))
    assert len(world.all(Alert)) == 2


def test_a_group_that_a_person_took_up_is_closed(world: World) -> None:
    world.hear(make_post(text="Voltano broken"))
    world.all(Alert)[0].state = "acknowledged"
    world.session.flush()
    world.hear(make_post(text="Voltano broken"), later=timedelta(minutes=1))
    assert len(world.all(Alert)) == 2


def test_a_burst_is_one_message_with_all_its_mentions(world: World) -> None:
    world.hear(*[make_post(text=f"Voltano broken {n}") for n in range(120)])
    assert (len(world.all(Alert)), len(world.all(AlertMention))) == (1, 120)
    assert len(world.all(Delivery)) == 2


def test_an_archive_makes_mentions_and_no_storm(world: World) -> None:
    old = world.now - timedelta(days=300)
    result = world.hear(*[make_post(text="Voltano fraud", published_at=old) for _ in range(30)])
    assert (result.mentions, result.alerts) == (30, 0)
    assert set(world.reasons()) == {"past"}


def test_a_rule_of_another_brand_says_nothing(world: World, session: Session) -> None:
    other = add_brand(session, world.workspace, name="Rivalo")
    add_rule(session, world.workspace, brand_id=other.id)
    world.hear(make_post(text="Voltano fraud"))
    assert world.reasons() == ["severe_at_once"]


def test_an_inactive_receiver_is_not_told(world: World, session: Session) -> None:
    gone = add_receiver(session, world.workspace, is_active=False)
    add_rule(session, world.workspace, gone)
    world.hear(make_post(text="Voltano fraud"))
    assert gone.id not in {d.receiver_id for d in world.all(Delivery)}


def test_a_poison_post_stops_nobody_else(world: World) -> None:
    posts = [make_post(text=f"Voltano fraud {n}") for n in range(20)]
    poison = make_post(text="Voltano poison")
    result = world.hear(*posts[:7], poison, *posts[7:])
    assert (result.mentions, result.alerts, result.dead) == (20, 20, 1)
    (letter,) = world.all(DeadLetter)
    assert (letter.stage, letter.reason) == ("judge", "ValueError: this judge cannot read poison")
    assert sum("poison" in one for one in world.judge.texts) <= 3
    assert {post.judged_version for post in world.all(PostRow)} == {1}


def test_a_database_that_is_away_buries_nobody(world: World) -> None:
    from sqlalchemy.exc import OperationalError

    class Cutting(WordJudge):
        def __call__(self, texts: Sequence[str]) -> Any:  # noqa: ARG002
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    world.judge = Cutting()
    with pytest.raises(OperationalError):
        world.hear(make_post(text="Voltano fraud"))
    assert world.all(DeadLetter) == []


def test_a_judge_that_breaks_on_anything_buries_nobody(world: World) -> None:
    class Lost(WordJudge):
        def __call__(self, texts: Sequence[str]) -> Any:
            raise MemoryError(f"no memory for {len(texts)} texts")

    seeing, world.judge = world.judge, Lost()
    with pytest.raises(MemoryError):
        world.hear(make_post(text="Voltano fraud"))
    assert world.all(DeadLetter) == []
    world.judge = seeing
    assert world.assess([post.id for post in world.all(PostRow)]).alerts == 1


def test_two_workers_judge_each_post_once(engine: Engine, now: datetime) -> None:
    with Session(engine, expire_on_commit=False) as setup:
        world = build(setup, now)
        posts = [make_post(text=f"Voltano broken {n}") for n in range(90)]
        kept = keep(setup, posts, source_id=world.source.id, crawl_run_id=None, now=now)
        setup.commit()
    ids = list(kept.new_ids)
    results: list[Assessed] = []

    def work(order: list[int]) -> None:
        for start in range(0, len(order), 15):
            with Session(engine) as own:
                part = order[start : start + 15]
                results.append(judge_posts(own, part, judge=WordJudge(), now=now))
                own.commit()

    threads = [
        threading.Thread(target=work, args=(order,)) for order in (ids, ids[::-1], ids[45:] + ids)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as check:
        assert check.scalar(select(func.count()).select_from(Mention)) == 90
        assert check.scalar(select(func.count()).select_from(Alert)) == 1
        assert check.scalar(select(func.count()).select_from(AlertMention)) == 90
        assert check.scalar(select(func.count()).select_from(AlertDecision)) == 90
    assert sum(one.posts for one in results) == 90


def test_a_held_post_is_named_as_missed(engine: Engine, now: datetime) -> None:
    with Session(engine, expire_on_commit=False) as setup:
        world = build(setup, now)
        kept = keep(setup, [make_post(), make_post()], source_id=world.source.id,
                    crawl_run_id=None, now=now)  # fmt: skip
        setup.commit()
    with Session(engine) as holder, Session(engine) as worker:
        held = kept.new_ids[0]
        holder.execute(select(PostRow.id).where(PostRow.id == held).with_for_update())
        result = judge_posts(worker, kept.new_ids, judge=WordJudge(), now=now)
        assert (result.posts, result.missed) == (1, (held,))
