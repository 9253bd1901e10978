"""A source that is not heard is told once, followed, and told again when it is heard."""

from __future__ import annotations

import json
from datetime import timedelta
from email.headerregistry import Address

import pytest
import structlog
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core.models import CrawlRun, Delivery, OperationsAlert, Receiver, Source
from core.queue import defer_crawl
from core.types import RunOutcome
from crawlers.engine.record import note_end
from crawlers.engine.verdict import Verdict
from pipeline.channels.channel import Sending
from pipeline.channels.email import compose
from pipeline.deliver import deliver_due
from pipeline.lateness import tell_of_late_sources
from pipeline.operations_message import load_operations_message
from tests.factories import NOW, add_receiver, add_source, add_workspace
from tests.pipeline.conftest import SECRET, Clock, Outbox, build_outbox
from tests.pipeline.receivers import Scripted

LONGEST = timedelta(minutes=45)


def _end(session: Session, source: Source, outcome: str, *, hours: int = 0) -> None:
    """A run as the engine ends it."""
    at = NOW + timedelta(hours=hours)
    session.add(CrawlRun(source_id=source.id, outcome=outcome, started_at=at, finished_at=at))
    session.flush()
    verdict = Verdict(outcome=RunOutcome(outcome), reason=f"it was {outcome}")
    note_end(session, source, verdict, now=at)
    session.flush()


def _alerts(session: Session) -> list[OperationsAlert]:
    return list(session.scalars(select(OperationsAlert).order_by(OperationsAlert.id)))


def _events(session: Session) -> list[str]:
    return list(session.scalars(select(Delivery.event).order_by(Delivery.id)))


@pytest.mark.parametrize(
    ("outcome", "runs"),
    [("blocked", 1), ("drift", 1), ("auth", 1), ("error", 3), ("empty", 3), ("quota", 3)],
)
def test_an_alert_opens_after_as_many_runs_as_it_takes(
    session: Session, outcome: str, runs: int
) -> None:
    source = add_source(session)
    _end(session, source, "ok")
    for number in range(1, runs + 1):
        assert _alerts(session) == []
        _end(session, source, outcome, hours=number)
    (alert,) = _alerts(session)
    assert (alert.outcome, alert.reason) == (outcome, f"it was {outcome}")
    assert alert.resolved_at is None


def test_an_alert_follows_its_source_and_closes_by_itself(session: Session) -> None:
    add_receiver(session, add_workspace(session), is_operations=True)
    source = add_source(session)
    for hours, outcome in enumerate(("blocked", "auth", "empty", "ok", "ok")):
        _end(session, source, outcome, hours=hours)
    (alert,) = _alerts(session)
    assert (alert.outcome, alert.runs) == ("empty", 3)
    assert alert.seen_at == NOW + timedelta(hours=2)
    assert alert.resolved_at == NOW + timedelta(hours=3)
    assert _events(session) == ["operations.source_not_heard", "operations.source_heard_again"]
    _end(session, source, "drift", hours=9)
    assert [one.resolved_at is None for one in _alerts(session)] == [False, True]


def test_only_receivers_for_operations_are_told_and_of_nothing_else(session: Session) -> None:
    workspace = add_workspace(session)
    add_receiver(session, workspace)
    told = add_receiver(session, workspace, is_operations=True)
    add_receiver(session, workspace, is_operations=True, is_active=False)
    other = add_receiver(session, add_workspace(session), is_operations=True)
    _end(session, add_source(session), "blocked")
    rows = session.execute(select(Delivery.receiver_id, Delivery.alert_id)).all()
    assert sorted(rows) == [(told.id, None), (other.id, None)]


def test_without_a_receiver_the_log_is_told(session: Session) -> None:
    with structlog.testing.capture_logs() as logs:
        source = add_source(session, slug="board-en")
        _end(session, source, "drift")
        _end(session, source, "ok", hours=1)
    told = [(one["event"], one["source"]) for one in logs]
    assert told == [("source_not_heard", "board-en"), ("source_heard_again", "board-en")]
    assert _events(session) == []


def _operating(outbox: Outbox) -> None:
    with Session(outbox.engine) as session, session.begin():
        session.execute(update(Receiver).values(is_operations=True))


def test_the_webhook_gets_both_ends_of_it_signed(outbox: Outbox, hook: Scripted) -> None:
    _operating(outbox)
    with Session(outbox.engine) as session, session.begin():
        source = session.scalars(select(Source)).one()
        _end(session, source, "blocked")
    assert deliver_due(outbox.room()) == 1
    with Session(outbox.engine) as session, session.begin():
        _end(session, session.scalars(select(Source)).one(), "ok", hours=2)
    assert deliver_due(outbox.room()) == 1
    bad, good = (json.loads(got.body) for got in hook.got)
    assert bad["type"] == "operations.source_not_heard"
    assert bad["data"]["operations_alert"]["reason"] == "it was blocked"
    assert bad["data"]["operations_alert"]["resolved_at"] is None
    assert bad["data"]["source"]["kind"] == "feed"
    assert good["type"] == "operations.source_heard_again"
    assert good["timestamp"] == (NOW + timedelta(hours=2)).isoformat()
    assert all("webhook-signature" in got.headers for got in hook.got)
    assert outbox.alerts() == []
    assert {one.state for one in outbox.deliveries()} == {"delivered"}


def test_a_mention_alert_and_an_operations_alert_are_two_messages(
    outbox: Outbox, hook: Scripted
) -> None:
    _operating(outbox)
    outbox.complain()
    with Session(outbox.engine) as session, session.begin():
        _end(session, session.scalars(select(Source)).one(), "drift")
    assert deliver_due(outbox.room()) == 2
    types = {json.loads(got.body)["type"] for got in hook.got}
    assert types == {"alert.triggered", "operations.source_not_heard"}
    (alert,) = outbox.alerts()
    assert alert.delivered_at is not None


def test_the_log_receiver_and_a_mail_tell_it(engine: Engine, clock: Clock) -> None:
    outbox = build_outbox(engine, clock, {"kind": "log", "is_operations": True})
    with Session(engine) as session, session.begin():
        _end(session, session.scalars(select(Source)).one(), "auth")
    with structlog.testing.capture_logs() as logs:
        assert deliver_due(outbox.room()) == 1
    (line,) = [one for one in logs if one["event"] == "operations_alert"]
    assert (line["outcome"], line["what"]) == ("auth", "operations.source_not_heard")
    with Session(engine) as session:
        delivery, alert = session.execute(
            select(Delivery, OperationsAlert.id).join(OperationsAlert)
        ).one()
        message = load_operations_message(
            session, alert, event=delivery.event, base_url="https://g.example"
        )
    sending = Sending(
        message=message, address="ops@voltano.example", secret=SECRET,
        idempotency_key=delivery.idempotency_key, attempt=1, now=NOW,
    )  # fmt: skip
    mail = compose(sending, sender=Address(addr_spec="goodname@g.example"))
    assert "NOT HEARD" in str(mail["Subject"])
    assert "auth: it was auth" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_source_that_nobody_queues_is_late(session: Session) -> None:
    late = add_source(session, next_due_at=NOW, updated_at=NOW)
    slow = add_source(session, next_due_at=NOW, updated_at=NOW, interval_seconds=86_400)
    add_source(session, next_due_at=NOW, updated_at=NOW, is_enabled=False)
    assert tell_of_late_sources(session, longest_run=LONGEST, now=NOW + timedelta(minutes=40)) == 0
    later = NOW + timedelta(hours=2)
    assert tell_of_late_sources(session, longest_run=LONGEST, now=later) == 1
    assert tell_of_late_sources(session, longest_run=LONGEST, now=later) == 0
    (alert,) = _alerts(session)
    assert (alert.source_id, alert.outcome) == (late.id, "late")
    assert "no scheduler" in alert.reason
    assert tell_of_late_sources(session, longest_run=LONGEST, now=NOW + timedelta(days=4)) == 1
    assert {one.source_id for one in _alerts(session)} == {late.id, slow.id}
    _end(session, late, "ok", hours=3)
    assert [one.resolved_at is None for one in _alerts(session)] == [False, True]


def test_a_job_that_no_worker_takes_is_late_though_the_schedule_goes_on(session: Session) -> None:
    source = add_source(session, next_due_at=NOW + timedelta(days=9))
    defer_crawl(session, source.id, trigger="schedule")
    began = session.scalar(text("SELECT max(at) FROM queue.procrastinate_events"))
    assert tell_of_late_sources(session, longest_run=LONGEST, now=began) == 0
    later = began + timedelta(hours=1)
    assert tell_of_late_sources(session, longest_run=LONGEST, now=later) == 1
    assert "no crawl worker" in _alerts(session)[0].reason


def test_a_long_run_is_not_late(session: Session) -> None:
    source = add_source(session, interval_seconds=60, next_due_at=NOW + timedelta(days=9))
    defer_crawl(session, source.id, trigger="schedule")
    worker = session.scalar(text("SELECT queue.procrastinate_register_worker_v1()"))
    session.execute(
        text("SELECT id FROM queue.procrastinate_fetch_job_v2(ARRAY['crawl'], :worker)"),
        {"worker": worker},
    )
    began = session.scalar(text("SELECT max(at) FROM queue.procrastinate_events"))
    soon, later = began + timedelta(minutes=40), began + timedelta(hours=1)
    assert tell_of_late_sources(session, longest_run=LONGEST, now=soon) == 0
    assert tell_of_late_sources(session, longest_run=LONGEST, now=later) == 1


@pytest.mark.parametrize(("by", "where"), [("api", "over the API"), ("file", "in settings.toml")])
def test_the_alert_of_a_source_that_was_switched_off_says_so_and_is_told_to_nobody(
    session: Session, by: str, where: str
) -> None:
    add_receiver(session, add_workspace(session), is_operations=True)
    source = add_source(session, managed_by=by)
    _end(session, source, "blocked")
    source.is_enabled, source.updated_at = False, NOW + timedelta(hours=4)
    session.flush()
    tell_of_late_sources(session, longest_run=LONGEST, now=NOW + timedelta(hours=5))
    session.expire_all()
    (alert,) = _alerts(session)
    assert alert.resolved_at == NOW + timedelta(hours=5)
    assert alert.outcome == "switched_off"
    at = f"{NOW + timedelta(hours=4):%Y-%m-%d %H:%M} UTC"
    assert alert.reason == f"switched off {where} at {at}; before that blocked: it was blocked"
    # A run that was under way opens none, and one that is ok has nothing to heal.
    for hours, outcome in ((6, "blocked"), (7, "ok")):
        _end(session, source, outcome, hours=hours)
    assert len(_alerts(session)) == 1
    assert _events(session) == ["operations.source_not_heard"]
