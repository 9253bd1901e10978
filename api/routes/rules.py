"""/v1/rules: when to speak up, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.call import ACall, Call
from api.changes import named_changes
from api.idempotency import Answer, ARepeat, answer_once
from api.lists import ListQuery, newest_first
from api.managed import refuse_if_declared, save_new
from api.problems import Problem, documented, not_found
from api.schemas.receivers import NewRule, RuleChange, RulePage, RuleShown
from api.shown import show_id, show_known_id, show_severity
from core.ids import BadIdError, Prefix, database_key
from core.models import AlertRule, AlertRuleReceiver, Brand, Receiver
from core.types import Severity

router = APIRouter(prefix="/v1/rules", tags=["rules"], responses=documented())

_LEVELS = {"at_once": "at_once_severity", "grouped": "group_severity"}


@router.get("")
def list_rules(
    request: Request, response: Response, call: ACall, wanted: Annotated[ListQuery, Query()]
) -> RulePage:
    """When this workspace is told of what, newest first."""
    cut = newest_first(
        call.session,
        select(AlertRule),
        at=AlertRule.created_at,
        key=AlertRule.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    items = [_show(call.session, row.AlertRule) for row in cut.rows]
    return RulePage(items=items, next=cut.next)


@router.post("", status_code=201, response_model=RuleShown)
def create_rule(wanted: NewRule, call: ACall, repeat: ARepeat) -> Response:
    """Speak up from now on; holds for mentions judged from now on."""

    def act() -> Answer:
        row = AlertRule(
            workspace_id=call.caller.workspace_id,
            slug=wanted.slug,
            brand_id=_brand_key(call.session, wanted.brand_id),
            sentiments=[word.value for word in wanted.sentiments],
            at_once_severity=Severity.of(wanted.at_once).value,
            group_severity=Severity.of(wanted.grouped).value,
            group_wait_seconds=wanted.group_wait_seconds,
            is_active=wanted.is_active,
            managed_by="api",
            created_at=call.now,
        )
        save_new(call.session, row, noun="rule", slug=wanted.slug)
        _tell(call, row, wanted.receiver_ids)
        return Answer(status=201, body=_show(call.session, row))

    return answer_once(call, repeat, act)


@router.patch("/{rule_id}")
def change_rule(rule_id: str, wanted: RuleChange, call: ACall) -> RuleShown:
    """Change when, or to whom."""
    row = _own(call.session, rule_id)
    refuse_if_declared(row, noun="rule")
    for name, value in named_changes(wanted).items():
        if name in _LEVELS:
            setattr(row, _LEVELS[name], Severity.of(str(value)).value)
        elif name != "receiver_ids":
            setattr(row, name, value)
    if wanted.receiver_ids is not None:
        _tell(call, row, wanted.receiver_ids)
    call.session.flush()
    return _show(call.session, row)


@router.delete("/{rule_id}", status_code=204)
def delete_rule(rule_id: str, call: ACall) -> None:
    """Forget a rule with the alerts that it raised; `is_active: false` keeps them."""
    row = _own(call.session, rule_id)
    refuse_if_declared(row, noun="rule")
    call.session.delete(row)
    call.session.flush()


def _own(session: Session, rule_id: str) -> AlertRule:
    row = session.get(AlertRule, database_key(Prefix.RULE, rule_id), with_for_update=True)
    if row is None:
        raise not_found("This rule")
    return row


def _brand_key(session: Session, brand_id: str | None) -> int | None:
    if brand_id is None:
        return None
    try:
        brand = session.get(Brand, database_key(Prefix.BRAND, brand_id))
    except BadIdError:
        brand = None
    if brand is None:
        raise Problem(422, "unknown-brand", f"There is no brand {brand_id!r} here.")
    return brand.id


def _tell(call: Call, rule: AlertRule, receiver_ids: Sequence[str]) -> None:
    here = AlertRuleReceiver.rule_id == rule.id
    call.session.execute(delete(AlertRuleReceiver).where(here))
    for shown in dict.fromkeys(receiver_ids):
        try:
            receiver = call.session.get(Receiver, database_key(Prefix.RECEIVER, shown))
        except BadIdError:
            receiver = None
        if receiver is None:
            raise Problem(422, "unknown-receiver", f"There is no receiver {shown!r} here.")
        call.session.add(
            AlertRuleReceiver(
                rule_id=rule.id, receiver_id=receiver.id, workspace_id=rule.workspace_id
            )
        )
    call.session.flush()


def _show(session: Session, rule: AlertRule) -> RuleShown:
    receivers = session.scalars(
        select(AlertRuleReceiver.receiver_id)
        .where(AlertRuleReceiver.rule_id == rule.id)
        .order_by(AlertRuleReceiver.receiver_id)
    )
    return RuleShown(
        id=show_id(Prefix.RULE, rule.id),
        slug=rule.slug,
        brand_id=show_known_id(Prefix.BRAND, rule.brand_id),
        sentiments=rule.sentiments,
        at_once=show_severity(rule.at_once_severity),
        grouped=show_severity(rule.group_severity),
        group_wait_seconds=rule.group_wait_seconds,
        receiver_ids=[show_id(Prefix.RECEIVER, key) for key in receivers],
        is_active=rule.is_active,
        managed_by=rule.managed_by,
        created_at=rule.created_at,
    )
