"""A workspace whose old mentions are graded anew by a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core.models import (
    Alert,
    AlertDecision,
    AlertMention,
    Delivery,
    Mention,
)
from core.types import Severity
from pipeline.rejudge import Chosen
from pipeline.rejudge_job import RejudgeJob
from pipeline.rejudge_runs import begin, latest
from tests.factories import make_post
from tests.pipeline.conftest import Clock, Outbox, build_outbox
from tests.pipeline.judges import WordJudge

TAKE_JOB = text(
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


class StrictJudge(WordJudge):
    """Finds everything critical."""

    name = "words-3"

    def __call__(self, texts: Any) -> Any:
        return super().__call__(["fire" for _ in texts])


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
            args = session.scalar(TAKE_JOB, {"later": later})
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


def rejudging_room(engine: Engine, clock: Clock) -> Room:
    """A room whose receiver is the log."""
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
