"""What a person does with an alert: take it up, hand it on, answer it, close it.

An alert only moves from triggered to acknowledged to resolved; saying the same again changes
nothing, so that a repeated click or request is harmless. The caller commits, and has locked the
alert or does not mind that the later of two wins.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.clean import clean
from core.models import Alert
from core.types import AlertState
from pipeline.errors import TransitionError

_LONGEST_NAME = 200
_LONGEST_CAUSE = 2_000


def acknowledge(session: Session, alert: Alert, *, by: str, now: datetime) -> None:
    """Somebody has seen it; only the first counts. ``TransitionError`` when it is resolved."""
    _refuse_resolved(alert, "acknowledged")
    _take_up(alert, by=by, now=now)
    session.flush()


def assign(session: Session, alert: Alert, *, to: str | None, by: str, now: datetime) -> None:
    """Say who works on it, or None for nobody; assigning takes an alert up."""
    _refuse_resolved(alert, "assigned")
    if to is not None:
        _take_up(alert, by=by, now=now)
    alert.assigned_to = _named(to) if to is not None else None
    session.flush()


def answer(session: Session, alert: Alert, *, by: str, now: datetime) -> None:
    """Note that the customer was answered; the first answer counts, also after a resolution."""
    if alert.state == AlertState.TRIGGERED:
        _take_up(alert, by=by, now=now)
    if alert.answered_at is None:
        alert.answered_at = now
    session.flush()


def resolve(
    session: Session, alert: Alert, *, by: str, root_cause: str | None, now: datetime
) -> None:
    """Close the case with what caused it; a cause may be added later, never taken away."""
    if alert.state != AlertState.RESOLVED:
        _take_up(alert, by=by, now=now)
        alert.state = AlertState.RESOLVED
        alert.resolved_at, alert.resolved_by = now, _named(by)
    if root_cause and root_cause.strip():
        alert.root_cause = clean(root_cause.strip())[:_LONGEST_CAUSE]
    session.flush()


def _take_up(alert: Alert, *, by: str, now: datetime) -> None:
    if alert.state == AlertState.TRIGGERED:
        alert.state = AlertState.ACKNOWLEDGED
        alert.acknowledged_at, alert.acknowledged_by = now, _named(by)


def _refuse_resolved(alert: Alert, done: str) -> None:
    if alert.state == AlertState.RESOLVED:
        raise TransitionError(f"a resolved alert cannot be {done}; it is closed for good")


def _named(by: str) -> str:
    name = clean(by.strip())[:_LONGEST_NAME]
    if not name:
        raise TransitionError("say who does it: the name is empty")
    return name
