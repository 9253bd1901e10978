"""Decisions become rows: alerts, whom they speak of, and every reason for yes and for no."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import Alert, AlertDecision, AlertMention, AlertRule, Delivery, Mention
from core.types import AlertState
from pipeline.alerts import News, Reason, Rule, decide

_DECISION: Any = AlertDecision.__table__
_LINK: Any = AlertMention.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert just opened, and when its receivers are told."""

    alert_id: int
    rule_id: int
    workspace_id: int
    notify_at: datetime


def evaluate(session: Session, news: Sequence[News], *, now: datetime) -> list[Raised]:
    """Let every rule decide on every mention; return the alerts that were opened."""
    cases = _cases(session, news)
    decided = _decided(session, cases)
    _lock_groups(session, cases)
    groups: dict[tuple[int, int], int | None] = {}  # locked until the end, so found once
    raised: list[Raised] = []
    decisions: list[dict[str, Any]] = []
    for rule, one in cases:
        known = decided[rule.id, one.mention_id]
        reason = decide(rule, one, decided=known, has_group=False)
        if reason is Reason.GROUPED_NEW:
            key = (rule.id, one.brand_id)
            if key not in groups:
                groups[key] = _open_group(session, rule, one, now=now)
            reason = decide(rule, one, decided=known, has_group=groups[key] is not None)
        alert_id = groups[rule.id, one.brand_id] if reason is Reason.GROUPED_JOINED else None
        if reason.is_alert and alert_id is None:
            is_grouped = reason is Reason.GROUPED_NEW
            raised.append(_open(session, rule, one, is_grouped=is_grouped, now=now))
            alert_id = raised[-1].alert_id
            if is_grouped:
                groups[rule.id, one.brand_id] = alert_id
        if reason is not Reason.KNOWN_VERSION:
            decisions.append(_decision(rule, one, reason, alert_id, now=now))
    _write(session, decisions, now=now)
    _worsen(session, cases, decisions)
    return raised


def _cases(session: Session, news: Sequence[News]) -> list[tuple[Rule, News]]:
    """Rules with their mentions, in one order, so that two workers lock groups alike."""
    rules = _rules(session, {one.workspace_id for one in news})
    return [
        (rule, one)
        for rule in rules
        for one in sorted(news, key=lambda n: (n.brand_id, n.mention_id))
        if rule.workspace_id == one.workspace_id and rule.brand_id in (None, one.brand_id)
    ]


def _rules(session: Session, workspaces: Iterable[int]) -> list[Rule]:
    rows = session.scalars(
        select(AlertRule).where(AlertRule.workspace_id.in_(workspaces)).order_by(AlertRule.id)
    )
    return [
        Rule(
            id=row.id,
            workspace_id=row.workspace_id,
            brand_id=row.brand_id,
            sentiments=frozenset(row.sentiments),
            at_once=row.at_once_severity,
            grouped=row.group_severity,
            group_wait=timedelta(seconds=row.group_wait_seconds),
            is_active=row.is_active,
        )
        for row in rows
    ]


def _decided(
    session: Session, cases: Sequence[tuple[Rule, News]]
) -> dict[tuple[int, int], set[int]]:
    versions: dict[tuple[int, int], set[int]] = defaultdict(set)
    pairs = [(rule.id, one.mention_id) for rule, one in cases]
    if pairs:
        d = _DECISION.c
        found = session.execute(
            select(d.rule_id, d.mention_id, d.post_version).where(
                tuple_(d.rule_id, d.mention_id).in_(pairs)
            )
        )
        for rule_id, mention_id, version in found:
            versions[rule_id, mention_id].add(version)
    return versions


def _lock_groups(session: Session, cases: Sequence[tuple[Rule, News]]) -> None:
    """Two workers may not open a group of the same rule and brand side by side."""
    keys = dict.fromkeys(f"group:{rule.id}:{one.brand_id}" for rule, one in cases)
    for key in sorted(keys):
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
        )


def _open_group(session: Session, rule: Rule, one: News, *, now: datetime) -> int | None:
    """A group that is not told yet and that nobody took up.

    Its deliveries are locked: a dispatcher skips them until this transaction is over, and then
    tells of this mention too.
    """
    group = session.scalar(
        select(Alert.id)
        .where(Alert.rule_id == rule.id, Alert.brand_id == one.brand_id)
        .where(Alert.is_grouped, Alert.state == AlertState.TRIGGERED, Alert.notify_at > now)
        .order_by(Alert.id.desc())
        .limit(1)
        .with_for_update()
    )
    if group is None:
        return None
    attempts = session.scalars(
        select(Delivery.attempts)
        .where(Delivery.alert_id == group)
        .order_by(Delivery.id)
        .with_for_update()
    )
    return None if any(attempts.all()) else group


def _open(session: Session, rule: Rule, one: News, *, is_grouped: bool, now: datetime) -> Raised:
    kind = "group" if is_grouped else "once"
    notify_at = now + rule.group_wait if is_grouped else now
    alert_id = session.execute(
        insert(Alert)
        .values(
            workspace_id=rule.workspace_id,
            rule_id=rule.id,
            brand_id=one.brand_id,
            dedup_key=f"{kind}:{rule.id}:{one.mention_id}:{one.version}",
            severity=one.severity.value,
            is_grouped=is_grouped,
            triggered_at=now,
            notify_at=notify_at,
        )
        .returning(Alert.id)
    ).scalar_one()
    return Raised(
        alert_id=alert_id, rule_id=rule.id, workspace_id=rule.workspace_id, notify_at=notify_at
    )


def _decision(
    rule: Rule, one: News, reason: Reason, alert_id: int | None, *, now: datetime
) -> dict[str, Any]:
    return {
        "mention_id": one.mention_id,
        "rule_id": rule.id,
        "post_version": one.version,
        "workspace_id": rule.workspace_id,
        "alert_id": alert_id,
        "reason": reason.value,
        "decided_at": now,
    }


def _worsen(
    session: Session, cases: Sequence[tuple[Rule, News]], decisions: Sequence[dict[str, Any]]
) -> None:
    """A group is as severe as the worst of its mentions."""
    severity = {one.mention_id: one.severity.value for _, one in cases}
    worst: dict[int, int] = {}
    for d in decisions:
        if d["reason"] == Reason.GROUPED_JOINED:
            found = severity[d["mention_id"]]
            worst[d["alert_id"]] = max(found, worst.get(d["alert_id"], 0))
    for alert_id, level in worst.items():
        session.execute(
            update(Alert).where(Alert.id == alert_id, Alert.severity < level).values(severity=level)
        )


def _write(session: Session, decisions: Sequence[dict[str, Any]], *, now: datetime) -> None:
    if decisions:
        session.execute(insert(_DECISION), decisions)
    links = [
        {name: d[name] for name in ("alert_id", "mention_id", "workspace_id")} | {"added_at": now}
        for d in decisions
        if d["alert_id"] is not None
    ]
    if not links:
        return
    session.execute(insert(_LINK).on_conflict_do_nothing(), links)
    told = {link["mention_id"] for link in links}
    session.execute(
        update(Mention)
        .where(Mention.id.in_(told))
        .values(alerted_at=func.coalesce(Mention.alerted_at, now))
    )
