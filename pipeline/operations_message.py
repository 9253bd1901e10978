"""What a receiver is told of a source that is not heard, or is heard again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import Prefix, public_id
from core.models import OperationsAlert, Source
from core.types import DeliveryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsMessage:
    """One operations alert, told."""

    alert_id: str
    event: DeliveryEvent
    source_id: str
    source: str  #: slug
    source_kind: str
    outcome: str  #: of the newest run, or ``late``
    reason: str
    runs: int  #: in a row that were not ok
    opened_at: datetime
    seen_at: datetime  #: end of the newest run that was not ok
    resolved_at: datetime | None
    link: str

    @property
    def at(self) -> datetime:
        """When that happened of which it tells."""
        is_over = self.event is DeliveryEvent.SOURCE_HEARD_AGAIN and self.resolved_at is not None
        return self.resolved_at if is_over and self.resolved_at else self.opened_at

    @property
    def headline(self) -> str:
        """One line, e.g. ``NOT HEARD: source board-en is blocked``."""
        if self.event is DeliveryEvent.SOURCE_HEARD_AGAIN:
            return f"HEARD AGAIN: source {self.source}"
        return f"NOT HEARD: source {self.source} ({self.outcome})"


def load_operations_message(
    session: Session, alert_id: int, *, event: DeliveryEvent, base_url: str
) -> OperationsMessage:
    """Read an operations alert as it stands now."""
    alert, source = session.execute(
        select(OperationsAlert, Source)
        .join(Source, Source.id == OperationsAlert.source_id)
        .where(OperationsAlert.id == alert_id)
    ).one()
    return OperationsMessage(
        alert_id=public_id(Prefix.OPERATIONS_ALERT, alert.id),
        event=event,
        source_id=public_id(Prefix.SOURCE, source.id),
        source=source.slug,
        source_kind=source.kind,
        outcome=alert.outcome,
        reason=alert.reason,
        runs=alert.runs,
        opened_at=alert.opened_at,
        seen_at=alert.seen_at,
        resolved_at=alert.resolved_at,
        link=f"{base_url.rstrip('/')}/#sources",
    )
