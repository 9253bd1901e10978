"""A source that is not heard is told to those who run the installation: silence is not safety.

One alert a source: it opens, follows what the runs say, and closes when a run is ok again. It is
told to receivers with ``is_operations`` through the same outbox, and to the log in any case. It
is never an alert about mentions, and no rule decides on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import CrawlRun, Delivery, OperationsAlert, Receiver, Source
from core.queue import defer_delivery
from core.types import DeliveryEvent, RunOutcome

log = structlog.get_logger()
_ALERT: Any = OperationsAlert.__table__
_DELIVERY: Any = Delivery.__table__

#: Runs in a row after which somebody is told. An error passes more often than not, a quota comes
#: back by itself, and a search may have no hit; a wall, a lost log-in and a new design do not.
RUNS_UNTIL_TOLD: Final = {
    RunOutcome.AUTH: 1,
    RunOutcome.BLOCKED: 1,
    RunOutcome.DRIFT: 1,
    RunOutcome.EMPTY: 3,
    RunOutcome.ERROR: 3,
    RunOutcome.QUOTA: 3,
}
#: The outcome of an alert about a source for which no run ended at all.
LATE: Final = "late"
#: That of an alert which was closed because nobody wants to hear the source any more.
SWITCHED_OFF: Final = "switched_off"


def note_run(
    session: Session,
    source: Source,
    *,
    outcome: RunOutcome,
    reason: str,
    now: datetime,
    is_hopeless: bool = False,
) -> None:
    """Open, follow or close the alert of a source whose run has just ended; the caller commits.

    ``is_hopeless``: more runs would only say the same, so the first one is told.
    """
    if outcome is RunOutcome.OK:
        close(session, source, now=now)
    elif _follow(session, source.id, outcome, reason, now=now) or not source.is_enabled:
        return
    elif is_hopeless or _is_enough(session, source, outcome):
        open_alert(
            session, source, outcome=outcome, reason=reason, runs=max(1, source.failures), now=now
        )


def open_alert(
    session: Session, source: Source, *, outcome: str, reason: str, runs: int, now: datetime
) -> int | None:
    """Open the alert of a source and put it into the outbox; None when one is open already."""
    alert_id = session.scalar(
        insert(_ALERT)
        .values(
            source_id=source.id,
            outcome=outcome,
            reason=reason,
            opened_at=now,
            seen_at=now,
            runs=runs,
        )
        .on_conflict_do_nothing()
        .returning(_ALERT.c.id)
    )
    if alert_id is None:
        return None
    log.warning("source_not_heard", source=source.slug, outcome=str(outcome), reason=reason[:500])
    _tell(session, alert_id, DeliveryEvent.SOURCE_NOT_HEARD, sequence=0, now=now)
    return int(alert_id)


def close(session: Session, source: Source, *, now: datetime) -> None:
    """The source is heard again; those who were told hear of it too."""
    alert_id = session.scalar(
        update(OperationsAlert)
        .where(OperationsAlert.source_id == source.id, OperationsAlert.resolved_at.is_(None))
        .values(resolved_at=now)
        .returning(OperationsAlert.id)
    )
    if alert_id is None:
        return
    log.info("source_heard_again", source=source.slug)
    _tell(session, alert_id, DeliveryEvent.SOURCE_HEARD_AGAIN, sequence=1, now=now)


def close_switched_off(session: Session, *, now: datetime) -> int:
    """Close the alerts of sources that were switched off, and say so; return how many.

    Nobody is told: whoever switched it off knows, and it is not heard again.
    """
    rows = session.execute(
        select(OperationsAlert, Source)
        .join(Source, Source.id == OperationsAlert.source_id)
        .where(OperationsAlert.resolved_at.is_(None), ~Source.is_enabled)
        .order_by(OperationsAlert.id)
        .with_for_update(of=OperationsAlert)
    ).all()
    for alert, source in rows:
        where = "in settings.toml" if source.managed_by == "file" else "over the API"
        alert.reason = (
            f"switched off {where} at {source.updated_at:%Y-%m-%d %H:%M} UTC;"
            f" before that {alert.outcome}: {alert.reason}"
        )
        alert.outcome, alert.resolved_at = SWITCHED_OFF, now
        log.info("source_alert_closed", source=source.slug, reason=alert.reason[:500])
    session.flush()
    return len(rows)


def _follow(
    session: Session, source_id: int, outcome: RunOutcome, reason: str, *, now: datetime
) -> bool:
    """Say in the open alert how things stand; False when there is none."""
    followed = session.scalar(
        update(OperationsAlert)
        .where(OperationsAlert.source_id == source_id, OperationsAlert.resolved_at.is_(None))
        .values(outcome=outcome, reason=reason, seen_at=now, runs=OperationsAlert.runs + 1)
        .returning(OperationsAlert.id)
    )
    return followed is not None


def _is_enough(session: Session, source: Source, outcome: RunOutcome) -> bool:
    wanted = RUNS_UNTIL_TOLD.get(outcome, 1)
    if outcome is not RunOutcome.EMPTY:
        return source.failures >= wanted
    latest = session.scalars(
        select(CrawlRun.outcome)
        .where(CrawlRun.source_id == source.id, CrawlRun.outcome != RunOutcome.RUNNING)
        .order_by(CrawlRun.started_at.desc(), CrawlRun.id.desc())
        .limit(wanted)
    ).all()
    return len(latest) == wanted and RunOutcome.OK not in latest


def _tell(
    session: Session, alert_id: int, event: DeliveryEvent, *, sequence: int, now: datetime
) -> None:
    receivers = session.execute(
        select(Receiver.id, Receiver.workspace_id)
        .where(Receiver.is_operations, Receiver.is_active)
        .order_by(Receiver.id)
    )
    rows: list[dict[str, Any]] = [
        {
            "workspace_id": workspace_id,
            "operations_alert_id": alert_id,
            "receiver_id": receiver_id,
            "sequence": sequence,
            "event": event.value,
            "idempotency_key": uuid4(),
            "next_attempt_at": now,
            "created_at": now,
        }
        for receiver_id, workspace_id in receivers
    ]
    if rows:
        session.execute(insert(_DELIVERY).on_conflict_do_nothing(), rows)
        defer_delivery(session)


def open_alerts_of(session: Session) -> int:
    """How many sources are not heard just now."""
    query = select(func.count()).where(OperationsAlert.resolved_at.is_(None))
    return session.scalar(query.select_from(OperationsAlert)) or 0
