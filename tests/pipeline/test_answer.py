"""What a person does with an alert."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.models import Alert
from pipeline.answer import acknowledge, answer, assign, resolve
from pipeline.errors import TransitionError
from tests.factories import add_brand, add_rule, add_workspace


@pytest.fixture
def alert(session: Session, now: datetime) -> Alert:
    workspace = add_workspace(session)
    row = Alert(
        workspace_id=workspace.id,
        rule_id=add_rule(session, workspace).id,
        brand_id=add_brand(session, workspace).id,
        dedup_key="once:1:1:1",
        severity=4,
        is_grouped=False,
        triggered_at=now,
        notify_at=now,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def test_the_first_to_acknowledge_counts(session: Session, alert: Alert, now: datetime) -> None:
    acknowledge(session, alert, by="Ana", now=now)
    acknowledge(session, alert, by="Ben", now=now + timedelta(hours=1))
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == (
        "acknowledged",
        "Ana",
        now,
    )


def test_assigning_takes_an_alert_up_and_can_be_undone(
    session: Session, alert: Alert, now: datetime
) -> None:
    assign(session, alert, to="Ben", by="Ana", now=now)
    assert (alert.state, alert.assigned_to, alert.acknowledged_by) == ("acknowledged", "Ben", "Ana")
    assign(session, alert, to=None, by="Ana", now=now)
    assert (alert.state, alert.assigned_to) == ("acknowledged", None)


def test_the_first_answer_counts(session: Session, alert: Alert, now: datetime) -> None:
    answer(session, alert, by="Ana", now=now)
    answer(session, alert, by="Ana", now=now + timedelta(hours=1))
    assert (alert.state, alert.answered_at) == ("acknowledged", now)


def test_resolving_keeps_who_when_and_why(session: Session, alert: Alert, now: datetime) -> None:
    resolve(session, alert, by="Ana", root_cause=" bad batch\x00 ", now=now)
    assert (alert.state, alert.resolved_by, alert.resolved_at) == ("resolved", "Ana", now)
    assert (alert.root_cause, alert.acknowledged_at) == ("bad batch\ufffd", now)
    resolve(session, alert, by="Ben", root_cause=None, now=now + timedelta(hours=1))
    assert (alert.resolved_by, alert.root_cause) == ("Ana", "bad batch\ufffd")
    resolve(session, alert, by="Ben", root_cause="a supplier", now=now)
    assert alert.root_cause == "a supplier"


def test_a_resolved_alert_goes_nowhere_back(session: Session, alert: Alert, now: datetime) -> None:
    resolve(session, alert, by="Ana", root_cause=None, now=now)
    with pytest.raises(TransitionError, match="closed for good"):
        acknowledge(session, alert, by="Ben", now=now)
    with pytest.raises(TransitionError, match="closed for good"):
        assign(session, alert, to="Ben", by="Ana", now=now)
    answer(session, alert, by="Ana", now=now)
    assert (alert.state, alert.answered_at) == ("resolved", now)


def test_nobody_is_no_name(session: Session, alert: Alert, now: datetime) -> None:
    with pytest.raises(TransitionError, match="name"):
        acknowledge(session, alert, by="  ", now=now)
