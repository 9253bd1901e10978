"""Alerts with what a person needs to judge them at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from api.mention_shown import show_mention_row
from api.queries import EFFECTIVE_SEVERITY, listed
from api.schemas.alerts import AlertShown, DeliveryShown
from api.shown import show_id, show_known_id, show_severity
from core.ids import Prefix
from core.models import Alert, AlertMention, AlertRule, Brand, Delivery, Mention, Receiver

OPEN_STATES = ("triggered", "acknowledged")
_MOST_MENTIONS = 100


def alerts() -> Select[Any]:
    """Alerts with the slugs of brand and rule and the number of their mentions."""
    count = (
        select(func.count())
        .select_from(AlertMention)
        .where(AlertMention.alert_id == Alert.id)
        .scalar_subquery()
    )
    return (
        select(
            Alert,
            Brand.slug.label("brand"),
            Brand.name.label("brand_name"),
            AlertRule.slug.label("rule"),
            count.label("count"),
        )
        .join(Brand, Brand.id == Alert.brand_id)
        .join(AlertRule, AlertRule.id == Alert.rule_id)
    )


def worst_open(session: Session, *, limit: int) -> Sequence[Row[Any]]:
    """Open alerts, worst first, then the ones nobody took, then the newest."""
    query = alerts().where(Alert.state.in_(OPEN_STATES))
    order = (Alert.severity.desc(), Alert.state.desc(), Alert.triggered_at.desc(), Alert.id.desc())
    return session.execute(query.order_by(*order).limit(limit)).all()


def mentions_of(session: Session, alert_id: int) -> Sequence[Row[Any]]:
    """The mentions of one alert, worst first."""
    query = (
        listed()
        .join(AlertMention, AlertMention.mention_id == Mention.id)
        .where(AlertMention.alert_id == alert_id)
        .order_by(EFFECTIVE_SEVERITY.desc(), Mention.sort_at, Mention.id)
        .limit(_MOST_MENTIONS)
    )
    return session.execute(query).all()


def worst_mentions(session: Session, alert_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The worst mention of each alert, in one query for a whole page."""
    if not alert_ids:
        return {}
    query = (
        listed()
        .add_columns(AlertMention.alert_id)
        .join(AlertMention, AlertMention.mention_id == Mention.id)
        .where(AlertMention.alert_id.in_(alert_ids))
        .ext(distinct_on(AlertMention.alert_id))
        .order_by(AlertMention.alert_id, EFFECTIVE_SEVERITY.desc(), Mention.sort_at, Mention.id)
    )
    return {row.alert_id: row for row in session.execute(query)}


def show_alerts(session: Session, rows: Sequence[Row[Any]]) -> list[AlertShown]:
    """Write rows of ``alerts()`` as the API shows them."""
    worst = worst_mentions(session, [row.Alert.id for row in rows])
    return [AlertShown(**alert_values(row, worst.get(row.Alert.id))) for row in rows]


_AS_STORED = (
    "state", "is_grouped", "triggered_at", "notify_at", "delivered_at", "acknowledged_at",
    "acknowledged_by", "assigned_to", "answered_at", "resolved_at", "resolved_by", "root_cause",
    "snoozed_until",
)  # fmt: skip


def alert_values(row: Row[Any], worst: Row[Any] | None) -> dict[str, Any]:
    """The fields of ``AlertShown``."""
    alert: Alert = row.Alert
    return {
        "id": show_id(Prefix.ALERT, alert.id),
        "brand_id": show_id(Prefix.BRAND, alert.brand_id),
        "brand": row.brand,
        "brand_name": row.brand_name,
        "rule_id": show_id(Prefix.RULE, alert.rule_id),
        "rule": row.rule,
        "severity": show_severity(alert.severity),
        "mention_count": row.count,
        "worst_mention": show_mention_row(worst) if worst is not None else None,
        **{name: getattr(alert, name) for name in _AS_STORED},
    }


def deliveries() -> Select[Any]:
    """Deliveries with whom they go to."""
    columns: tuple[Any, ...] = (
        Delivery,
        Receiver.slug.label("receiver"),
        Receiver.kind.label("kind"),
    )
    return select(*columns).join(Receiver, Receiver.id == Delivery.receiver_id)


def show_delivery(row: Row[Any]) -> DeliveryShown:
    """Write a row of ``deliveries()`` as the API shows it."""
    delivery: Delivery = row.Delivery
    return DeliveryShown(
        id=show_id(Prefix.DELIVERY, delivery.id),
        event=delivery.event,
        alert_id=show_known_id(Prefix.ALERT, delivery.alert_id),
        operations_alert_id=show_known_id(Prefix.OPERATIONS_ALERT, delivery.operations_alert_id),
        receiver_id=show_id(Prefix.RECEIVER, delivery.receiver_id),
        receiver=row.receiver,
        kind=row.kind,
        state=delivery.state,
        sequence=delivery.sequence,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        created_at=delivery.created_at,
        delivered_at=delivery.delivered_at,
    )
