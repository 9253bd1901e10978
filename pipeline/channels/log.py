"""Tell the log: ``alert``, ``alert_update`` or ``operations_alert``; needs no set-up."""

from __future__ import annotations

import structlog

from core.log import LinkToFollow
from core.types import DeliveryEvent
from pipeline.channels.channel import Outcome, Sending, Verdict
from pipeline.operations_message import OperationsMessage

log = structlog.get_logger()
_LONGEST = 160


def tell_log(sending: Sending) -> Outcome:
    """Write one line; the text of the worst mention only in part, as logs hold no whole texts."""
    message = sending.message
    if isinstance(message, OperationsMessage):
        return _tell_of_source(message, sending)
    worst = message.mentions[0] if message.mentions else None
    is_alert = message.event is DeliveryEvent.TRIGGERED
    log.warning(
        "alert" if is_alert else "alert_update",
        **({} if is_alert else {"what": message.event.value}),
        severity=message.severity.label,
        brand=message.brand,
        excerpt=worst.excerpt[:_LONGEST] if worst else None,
        because=list(worst.reasons[:3]) if worst else [],
        source=worst.source if worst else None,
        mentions=message.mention_count,
        link=LinkToFollow(message.link),
        url=LinkToFollow(worst.url) if worst else None,
        alert=message.alert_id,
        delivery=str(sending.idempotency_key),
    )
    return Outcome(verdict=Verdict.ARRIVED)


def _tell_of_source(message: OperationsMessage, sending: Sending) -> Outcome:
    log.warning(
        "operations_alert",
        what=message.event.value,
        source=message.source,
        outcome=message.outcome,
        reason=message.reason[:_LONGEST],
        runs=message.runs,
        link=LinkToFollow(message.link),
        alert=message.alert_id,
        delivery=str(sending.idempotency_key),
    )
    return Outcome(verdict=Verdict.ARRIVED)
