"""/v1/alerts: the cases that a person must see, and what they did about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.alert_queries import (
    alert_values,
    alerts,
    deliveries,
    mentions_of,
    show_alerts,
    show_delivery,
)
from api.call import ACall, Call
from api.idempotency import Answer, ARepeat, answer_once
from api.lists import newest_first
from api.mention_shown import show_mention_row
from api.problems import Problem, documented, not_found
from api.queries import brand_keys
from api.schemas.alerts import (
    AlertPage,
    AlertQuery,
    AlertShown,
    AlertWhole,
    Assignment,
    DecisionShown,
    Resolution,
)
from api.shown import show_id
from core.ids import Prefix, database_key
from core.models import Alert, AlertDecision, Delivery
from core.types import Severity
from pipeline.answer import acknowledge, answer, assign, resolve
from pipeline.errors import TransitionError

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], responses=documented())


@router.get("")
def list_alerts(
    request: Request, response: Response, call: ACall, wanted: Annotated[AlertQuery, Query()]
) -> AlertPage:
    """Alerts, newest first, each with its worst mention."""
    query = alerts()
    if wanted.state:
        query = query.where(Alert.state.in_([state.value for state in wanted.state]))
    if wanted.brand:
        query = query.where(Alert.brand_id.in_(brand_keys(call.session, wanted.brand)))
    if wanted.severity:
        query = query.where(Alert.severity >= Severity.of(wanted.severity).value)
    if wanted.from_:
        query = query.where(Alert.triggered_at >= wanted.from_)
    if wanted.to:
        query = query.where(Alert.triggered_at < wanted.to)
    cut = newest_first(
        call.session,
        query,
        at=Alert.triggered_at,
        key=Alert.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return AlertPage(items=show_alerts(call.session, cut.rows), next=cut.next)


@router.get("/{alert_id}")
def read_alert(alert_id: str, call: ACall) -> AlertWhole:
    """One alert with its mentions, the decisions behind it and its deliveries."""
    return read_whole(call.session, database_key(Prefix.ALERT, alert_id))


@router.post("/{alert_id}/acknowledge", response_model=AlertShown)
def acknowledge_alert(alert_id: str, call: ACall, repeat: ARepeat) -> Response:
    """Say that somebody has seen it; saying it twice keeps the first name and time."""
    return _move(
        call,
        repeat,
        alert_id,
        lambda alert: acknowledge(call.session, alert, by=call.caller.name, now=call.now),
    )


@router.post("/{alert_id}/assign", response_model=AlertShown)
def assign_alert(alert_id: str, wanted: Assignment, call: ACall, repeat: ARepeat) -> Response:
    """Say who takes care of it."""
    return _move(
        call,
        repeat,
        alert_id,
        lambda alert: assign(call.session, alert, to=wanted.to, by=call.caller.name, now=call.now),
    )


@router.post("/{alert_id}/answer", response_model=AlertShown)
def answer_alert(alert_id: str, call: ACall, repeat: ARepeat) -> Response:
    """Say that the customer got an answer."""
    return _move(
        call,
        repeat,
        alert_id,
        lambda alert: answer(call.session, alert, by=call.caller.name, now=call.now),
    )


@router.post("/{alert_id}/resolve", response_model=AlertShown)
def resolve_alert(alert_id: str, wanted: Resolution, call: ACall, repeat: ARepeat) -> Response:
    """Close it, with its root cause."""
    return _move(
        call,
        repeat,
        alert_id,
        lambda alert: resolve(
            call.session, alert, by=call.caller.name, root_cause=wanted.root_cause, now=call.now
        ),
    )


def _move(call: Call, repeat: ARepeat, alert_id: str, step: Callable[[Alert], object]) -> Response:
    key = database_key(Prefix.ALERT, alert_id)

    def act() -> Answer:
        move_alert(call.session, key, step)
        row = call.session.execute(alerts().where(Alert.id == key)).one()
        return Answer(status=200, body=show_alerts(call.session, [row])[0])

    return answer_once(call, repeat, act)


def move_alert(session: Session, key: int, step: Callable[[Alert], object]) -> None:
    """Lock one alert and do one step; 404 outside of the workspace, 409 when it cannot move."""
    alert = session.get(Alert, key, with_for_update=True)
    if alert is None:
        raise not_found("This alert")
    try:
        step(alert)
    except TransitionError as error:
        raise Problem(409, "cannot-move", str(error)) from None
    session.flush()


def read_whole(session: Session, key: int) -> AlertWhole:
    """All that is known of one alert; 404 outside of the workspace."""
    row = session.execute(alerts().where(Alert.id == key)).one_or_none()
    if row is None:
        raise not_found("This alert")
    mentions = mentions_of(session, key)
    decided = session.scalars(
        select(AlertDecision)
        .where(AlertDecision.alert_id == key)
        .order_by(AlertDecision.decided_at, AlertDecision.mention_id)
        .limit(500)
    )
    sent = session.execute(
        deliveries().where(Delivery.alert_id == key).order_by(Delivery.id).limit(500)
    )
    return AlertWhole(
        **alert_values(row, mentions[0] if mentions else None),
        mentions=[show_mention_row(mention) for mention in mentions],
        decisions=[
            DecisionShown(
                mention_id=show_id(Prefix.MENTION, one.mention_id),
                post_version=one.post_version,
                reason=one.reason,
                decided_at=one.decided_at,
            )
            for one in decided
        ],
        deliveries=[show_delivery(one) for one in sent],
    )
