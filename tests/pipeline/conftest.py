"""An alert that waits in the outbox, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.models import Alert, Delivery, Mention, Receiver
from core.settings import Settings
from core.types import Post
from pipeline.assess import judge_posts
from pipeline.deliver import Mailroom
from pipeline.ingest import keep
from pipeline.worker import mailroom
from tests.factories import (
    add_brand,
    add_receiver,
    add_rule,
    add_source,
    add_workspace,
    make_post,
)
from tests.pipeline.judges import WordJudge
from tests.pipeline.receivers import Scripted, scripted_receiver

SECRET = "whsec_" + "c2VjcmV0" * 4


@dataclass
class Clock:
    """Time as a test sets it."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **given: float) -> None:
        """Let time pass."""
        self.at += timedelta(**given)


@dataclass
class Outbox:
    """A workspace whose complaints go to receivers."""

    engine: Engine
    clock: Clock
    settings: Settings
    source_id: int
    workspace_id: int

    def room(self, **settings: Any) -> Mailroom:
        """What delivering needs."""
        return mailroom(self.settings.model_copy(update=settings), self.engine, clock=self.clock)

    def hear(self, *posts: Post) -> None:
        """Keep and judge posts, and commit."""
        with Session(self.engine) as session:
            kept = keep(
                session, posts, source_id=self.source_id, crawl_run_id=None, now=self.clock()
            )
            judge_posts(session, kept.new_ids, judge=WordJudge(), now=self.clock())
            session.commit()

    def complain(self, **given: Any) -> None:
        """One post that alerts at once."""
        values: dict[str, Any] = {"text": "Voltano caught fire", "published_at": self.clock()}
        self.hear(make_post(**(values | given)))

    def deliveries(self) -> list[Delivery]:
        """All, in order."""
        return self._all(Delivery)

    def alerts(self) -> list[Alert]:
        """All, in order."""
        return self._all(Alert)

    def mentions(self) -> list[Mention]:
        """All, in order."""
        return self._all(Mention)

    def receivers(self) -> list[Receiver]:
        """All, in order."""
        return self._all(Receiver)

    def _all(self, table: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.scalars(select(table).order_by(table.id)))


@pytest.fixture
def hook() -> Iterator[Scripted]:
    """A webhook receiver on loopback."""
    with scripted_receiver() as state:
        yield state


@pytest.fixture
def clock() -> Clock:
    """Time as the test sets it."""
    return Clock()


def build_outbox(
    engine: Engine, clock: Clock, *receivers: dict[str, Any], **delivery: Any
) -> Outbox:
    """A workspace that watches Voltano and tells the receivers."""
    with Session(engine, expire_on_commit=False) as session:
        workspace = add_workspace(session)
        add_brand(session, workspace)
        rows = [add_receiver(session, workspace, **one) for one in receivers]
        add_rule(session, workspace, *rows)
        source = add_source(session)
        session.commit()
    given = {"timeout_seconds": 1.0} | delivery
    settings = Settings.model_validate({"delivery": given})
    return Outbox(engine, clock, settings, source.id, workspace.id)


@pytest.fixture
def outbox(engine: Engine, clock: Clock, hook: Scripted) -> Outbox:
    """One that tells the webhook on loopback."""
    webhook = {"kind": "webhook", "address": hook.url, "secret": SECRET}
    return build_outbox(engine, clock, webhook, allowed_addresses=[hook.address])
