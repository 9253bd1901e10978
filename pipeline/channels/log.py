"""Tell the log: ``alert`` or ``alert_update``, with fields; the receiver that needs no set-up."""

from __future__ import annotations

import structlog

from core.types import DeliveryEvent
from pipeline.channels.channel import Outcome, Sending, Verdict

log = structlog.get_logger()
_LONGEST = 160


def tell_log(sending: Sending) -> Outcome:
    """Write one line; the text of the worst mention only in part, as logs hold no whole texts."""
    message = sending.message
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
        link=message.link,
        url=worst.url if worst else None,
        alert=message.alert_id,
        delivery=str(sending.idempotency_key),
    )
    return Outcome(verdict=Verdict.ARRIVED)
