"""The outbox: an alert and its deliveries exist together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import AlertRuleReceiver, Delivery, Receiver
from core.queue import defer_delivery
from pipeline.alert_rows import Raised

_DELIVERY: Any = Delivery.__table__


def enqueue(session: Session, raised: Sequence[Raised], *, now: datetime) -> int:
    """Put one delivery for each active receiver of each alert's rule; return how many.

    The idempotency key is drawn here and stays the same over all attempts.
    """
    receivers = _receivers(session, {one.rule_id for one in raised})
    rows: list[dict[str, Any]] = [
        {
            "workspace_id": one.workspace_id,
            "alert_id": one.alert_id,
            "receiver_id": receiver_id,
            "idempotency_key": uuid4(),
            "next_attempt_at": one.notify_at,
            "created_at": now,
        }
        for one in raised
        for receiver_id in receivers.get(one.rule_id, ())
    ]
    if not rows:
        return 0
    session.execute(
        insert(_DELIVERY).on_conflict_do_nothing(
            index_elements=["alert_id", "receiver_id", "sequence"]
        ),
        rows,
    )
    for due in sorted({row["next_attempt_at"] for row in rows}):
        defer_delivery(session, at=due if due > now else None)
    return len(rows)


def _receivers(session: Session, rules: set[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = session.execute(
        select(AlertRuleReceiver.rule_id, AlertRuleReceiver.receiver_id)
        .join(Receiver, Receiver.id == AlertRuleReceiver.receiver_id)
        .where(AlertRuleReceiver.rule_id.in_(rules), Receiver.is_active)
        .order_by(AlertRuleReceiver.receiver_id)
    )
    for rule_id, receiver_id in rows:
        found.setdefault(rule_id, []).append(receiver_id)
    return found
