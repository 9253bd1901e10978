"""What became of the mentions of an open alert: told to those who were told of the alert.

An update is one more delivery of the alert, written in the transaction that changes the post, so
that it is told once. A receiver whose first delivery was not tried yet gets none: that message
says how things stand when it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import Alert, AlertMention, Delivery, Mention, Receiver
from core.queue import defer_delivery
from core.types import AlertState, DeliveryEvent, DeliveryState, GoneReason

_DELIVERY: Any = Delivery.__table__
_EVENT = {
    GoneReason.DELETED: DeliveryEvent.DELETED,
    GoneReason.REMOVED_AFTER_RESOLUTION: DeliveryEvent.REMOVED_AFTER_RESOLUTION,
}


def tell_gone(session: Session, posts: Mapping[GoneReason, Sequence[int]], *, now: datetime) -> int:
    """Tell of posts that are gone, by the reason; return how many deliveries say so."""
    return sum(
        tell_of_mentions(session, posts[reason], event=_EVENT[reason], now=now)
        for reason in sorted(posts)
    )


def tell_of_mentions(
    session: Session, post_ids: Sequence[int], *, event: DeliveryEvent, now: datetime
) -> int:
    """Put an update of every open alert with a mention of the posts into the outbox."""
    mentions = _open_alerts(session, post_ids)
    if not mentions:
        return 0
    added = 0
    for (alert_id, receiver_id), sent in _told(session, mentions).items():
        unsent = next((one for one in sent if one.event == event and _is_untried(one)), None)
        if unsent is not None:
            _join(session, unsent, mentions[alert_id])
            continue
        first = sent[0]
        row = {
            "workspace_id": first.workspace_id,
            "alert_id": alert_id,
            "receiver_id": receiver_id,
            "sequence": max(one.sequence for one in sent) + 1,
            "event": event.value,
            "mention_ids": mentions[alert_id],
            "idempotency_key": uuid4(),
            "next_attempt_at": now,
            "created_at": now,
        }
        session.execute(insert(_DELIVERY), [row])
        added += 1
    if added:
        defer_delivery(session)
    return added


def _open_alerts(session: Session, post_ids: Sequence[int]) -> dict[int, list[int]]:
    """Mentions by open alert. Alerts are locked before deliveries, as the judge does."""
    if not post_ids:
        return {}
    found: dict[int, list[int]] = {}
    rows = session.execute(
        select(Alert.id, AlertMention.mention_id)
        .join(AlertMention, AlertMention.alert_id == Alert.id)
        .join(Mention, Mention.id == AlertMention.mention_id)
        .where(Mention.post_id.in_(post_ids), Alert.state != AlertState.RESOLVED)
        .order_by(Alert.id, AlertMention.mention_id)
        .with_for_update(of=Alert, read=True, key_share=True)
    )
    for alert_id, mention_id in rows:
        found.setdefault(alert_id, []).append(mention_id)
    return found


def _told(
    session: Session, alert_ids: Mapping[int, Sequence[int]]
) -> dict[tuple[int, int], list[Any]]:
    """The deliveries so far of every alert and receiver that has been told of it."""
    d = _DELIVERY.c
    rows = session.execute(
        select(_DELIVERY)
        .join(Receiver, Receiver.id == d.receiver_id)
        .where(d.alert_id.in_(alert_ids), Receiver.is_active)
        .order_by(d.id)
        .with_for_update(of=_DELIVERY)
    )
    sent: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        sent.setdefault((row.alert_id, row.receiver_id), []).append(row)
    return {key: those for key, those in sent.items() if any(_has_told(one) for one in those)}


def _has_told(one: Any) -> bool:
    is_first = one.event == DeliveryEvent.TRIGGERED
    return is_first and one.state != DeliveryState.DEAD and not _is_untried(one)


def _is_untried(one: Any) -> bool:
    return bool(one.state == DeliveryState.PENDING and one.attempts == 0)


def _join(session: Session, unsent: Any, mention_ids: Sequence[int]) -> None:
    """An update that waits tells of these mentions too."""
    both = sorted({*(unsent.mention_ids or ()), *mention_ids})
    session.execute(update(_DELIVERY).where(_DELIVERY.c.id == unsent.id).values(mention_ids=both))
