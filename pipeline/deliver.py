"""Empty the outbox: at least once, with the same idempotency key each time.

A delivery is claimed under a lease and the claim is committed; it is sent outside any
transaction; what came of it is committed. A process that dies in between leaves a lease that runs
out, and the delivery is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Engine, Update, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.crash import crash_point
from core.models import Alert, Delivery, Mention, Receiver
from core.queue import defer_delivery
from core.types import DeliveryEvent, DeliveryState
from pipeline.channels.channel import Channel, Outcome, Sending, Verdict
from pipeline.message import Message, load_message
from pipeline.operations_message import OperationsMessage, load_operations_message
from pipeline.retries import wait_before_next

log = structlog.get_logger()

Clock = Callable[[], datetime]
#: So many sendings to one receiver run at once: a hanging one cannot take every thread.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailroom:
    """Everything that a dispatcher needs."""

    engine: Engine
    channels: Mapping[str, Channel]  #: by kind of receiver
    clock: Clock
    base_url: str  #: of the links in messages
    lease: timedelta  #: longer than any sending takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One delivery that this process sends now."""

    id: int
    alert_id: int | None
    operations_alert_id: int | None = None  #: exactly one of the two
    receiver_id: int
    kind: str
    address: str
    secret: str | None = field(repr=False)
    is_active: bool
    idempotency_key: UUID
    attempt: int  #: from 1
    event: DeliveryEvent = DeliveryEvent.TRIGGERED
    mention_ids: Sequence[int] | None = None  #: None: all of the alert
    updated_at: datetime | None = None  #: of an update


def deliver_due(room: Mailroom, *, limit: int = 50) -> int:
    """Claim what is due and send it, one after the other; return how many arrived."""
    return sum(carry(room, one) for one in claim_due(room, limit=limit))


def claim_due(room: Mailroom, *, limit: int) -> list[Claimed]:
    """Take a share of what is due; the claim is committed, so no other process takes it too."""
    with Session(room.engine) as session:
        claimed = claim(session, now=room.clock(), lease=room.lease, limit=limit)
        session.commit()
    if claimed:
        crash_point("deliver_after_claim")
    return claimed


def claim(session: Session, *, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Lease deliveries that are due and that no living dispatcher holds."""
    rows = session.execute(
        _CLAIM, {"now": now, "until": now + lease, "limit": limit, "at_once": _AT_ONCE}
    )
    return [
        Claimed(**dict(row) | {"event": DeliveryEvent(row["event"])}) for row in rows.mappings()
    ]


_CLAIM = text(
    """
    WITH waiting AS (
        SELECT id, receiver_id, next_attempt_at,
               row_number() OVER (PARTITION BY receiver_id ORDER BY next_attempt_at, id) AS place
        FROM delivery
        WHERE state = 'pending' AND next_attempt_at <= :now
          AND (lease_until IS NULL OR lease_until < :now)
    ), busy AS (
        SELECT receiver_id, count(*) AS sendings FROM delivery
        WHERE state = 'pending' AND lease_until >= :now GROUP BY receiver_id
    ), chosen AS (
        SELECT id FROM waiting LEFT JOIN busy USING (receiver_id)
        WHERE place + coalesce(sendings, 0) <= :at_once
        ORDER BY next_attempt_at, id LIMIT :limit
    ), locked AS (
        SELECT id FROM delivery
        WHERE id IN (SELECT id FROM chosen) AND state = 'pending' AND next_attempt_at <= :now
          AND (lease_until IS NULL OR lease_until < :now)
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery d SET attempts = d.attempts + 1, lease_until = :until
    FROM locked, receiver r
    WHERE d.id = locked.id AND r.id = d.receiver_id
    RETURNING d.id, d.alert_id, d.operations_alert_id, d.receiver_id,
              r.kind, r.address, r.secret, r.is_active,
              d.idempotency_key, d.attempts AS attempt, d.event, d.mention_ids,
              CASE WHEN d.event <> 'alert.triggered' THEN d.created_at END AS updated_at
    """
)


def carry(room: Mailroom, claimed: Claimed) -> bool:
    """Send one claimed delivery and commit what came of it; True when it arrived."""
    outcome, mention_ids = _told(room, claimed)
    crash_point("deliver_after_send")
    with Session(room.engine) as session:
        settle(session, claimed, outcome, mention_ids=mention_ids, now=room.clock())
        session.commit()
    crash_point("deliver_after_settle")
    return outcome.verdict is Verdict.ARRIVED


def _told(room: Mailroom, claimed: Claimed) -> tuple[Outcome, tuple[int, ...]]:
    """What came of telling, and the mentions that were told of."""
    channel = room.channels.get(claimed.kind)
    if not claimed.is_active:
        return Outcome(verdict=Verdict.HOPELESS, reason="the receiver is switched off"), ()
    if channel is None:
        return Outcome(verdict=Verdict.HOPELESS, reason=f"no channel for {claimed.kind}"), ()
    try:
        with Session(room.engine) as session:
            message, mention_ids = _message(session, claimed, base_url=room.base_url)
        return channel(_sending(claimed, message, now=room.clock())), mention_ids
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Neither the other side nor the database: a bug of ours. Others must go on, and this one
        # ends as a dead letter in time, instead of being leased again for ever.
        log.exception("delivery_broke", delivery_id=claimed.id, kind=claimed.kind)
        reason = f"an error of ours: {type(error).__name__}"
        return Outcome(verdict=Verdict.RETRY, reason=reason), ()


def _message(
    session: Session, claimed: Claimed, *, base_url: str
) -> tuple[Message | OperationsMessage, tuple[int, ...]]:
    if claimed.operations_alert_id is not None:
        return load_operations_message(
            session, claimed.operations_alert_id, event=claimed.event, base_url=base_url
        ), ()
    if claimed.alert_id is None:
        raise LookupError("a delivery of no alert")
    return load_message(
        session,
        claimed.alert_id,
        base_url=base_url,
        event=claimed.event,
        only=claimed.mention_ids,
        updated_at=claimed.updated_at,
    )


def _sending(claimed: Claimed, message: Message | OperationsMessage, *, now: datetime) -> Sending:
    return Sending(
        message=message,
        address=claimed.address,
        secret=claimed.secret,
        idempotency_key=claimed.idempotency_key,
        attempt=claimed.attempt,
        now=now,
    )


def settle(
    session: Session,
    claimed: Claimed,
    outcome: Outcome,
    *,
    mention_ids: Sequence[int],
    now: datetime,
) -> None:
    """Write what came of a sending; the caller commits."""
    if outcome.verdict is Verdict.ARRIVED:
        _arrived(session, claimed, mention_ids, now=now)
        return
    wait = None
    if outcome.verdict is Verdict.RETRY:
        wait = wait_before_next(
            attempts=claimed.attempt, key=claimed.idempotency_key, retry_after=outcome.retry_after
        )
    if wait is None:
        _give_up(session, claimed, outcome.reason)
    else:
        _try_later(session, claimed, outcome.reason, at=now + wait)
    if outcome.verdict is Verdict.GONE:
        _switch_off(session, claimed)


def _arrived(
    session: Session, claimed: Claimed, mention_ids: Sequence[int], *, now: datetime
) -> None:
    # Also when the lease had run out meanwhile: that it arrived is a fact.
    session.execute(
        update(Delivery)
        .where(Delivery.id == claimed.id, Delivery.state != DeliveryState.DELIVERED)
        .values(state=DeliveryState.DELIVERED, delivered_at=now, lease_until=None, last_error=None)
    )
    if claimed.event is DeliveryEvent.TRIGGERED and claimed.alert_id is not None:
        _stamp(session, claimed.alert_id, mention_ids, now=now)
    log.info("delivered", delivery_id=claimed.id, kind=claimed.kind, attempt=claimed.attempt)


def _stamp(session: Session, alert_id: int, mention_ids: Sequence[int], *, now: datetime) -> None:
    session.execute(
        update(Alert)
        .where(Alert.id == alert_id, Alert.delivered_at.is_(None))
        .values(delivered_at=now)
    )
    session.execute(
        update(Mention)
        .where(Mention.id.in_(sorted(mention_ids)), Mention.delivered_at.is_(None))
        .values(delivered_at=now)
    )


def _try_later(session: Session, claimed: Claimed, reason: str, *, at: datetime) -> None:
    moved = session.scalar(
        _still_ours(claimed)
        .values(next_attempt_at=at, lease_until=None, last_error=reason)
        .returning(Delivery.id)
    )
    if moved is not None:
        defer_delivery(session, at=at)
    log.warning(
        "delivery_failed",
        delivery_id=claimed.id,
        attempt=claimed.attempt,
        reason=reason,
        next_attempt_at=at.isoformat(),
    )


def _give_up(session: Session, claimed: Claimed, reason: str) -> None:
    session.execute(
        _still_ours(claimed).values(state=DeliveryState.DEAD, lease_until=None, last_error=reason)
    )
    log.error("delivery_dead", delivery_id=claimed.id, attempt=claimed.attempt, reason=reason)


def _switch_off(session: Session, claimed: Claimed) -> None:
    """The receiver wants no more: nothing that waits for it is sent."""
    session.execute(
        update(Receiver).where(Receiver.id == claimed.receiver_id).values(is_active=False)
    )
    session.execute(
        update(Delivery)
        .where(Delivery.receiver_id == claimed.receiver_id)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.lease_until.is_(None))
        .values(state=DeliveryState.DEAD, last_error="the receiver is switched off: it said gone")
    )
    log.error("receiver_switched_off", receiver_id=claimed.receiver_id)


def _still_ours(claimed: Claimed) -> Update:
    """Only while no other dispatcher took the delivery after our lease ran out."""
    return update(Delivery).where(
        Delivery.id == claimed.id,
        Delivery.state == DeliveryState.PENDING,
        Delivery.attempts == claimed.attempt,
    )
