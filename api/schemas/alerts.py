"""Alerts as the API shows them, and what people do about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from api.lists import ListQuery
from api.schemas.mentions import EXAMPLE as MENTION_EXAMPLE
from api.schemas.mentions import Filter, MentionShown
from api.shown import Line, Moment, Page, SeverityWord, Shown, Text, Wanted
from core.types import AlertState, DeliveryState, ReceiverKind

EXAMPLE: dict[str, Any] = {
    "id": "alt_Uk3bXq0aLw",
    "brand_id": "brd_86Rf07xd4z",
    "brand": "voltano",
    "brand_name": "Voltano",
    "rule_id": "rul_JgaEBgznCp",
    "rule": "negative",
    "state": "triggered",
    "severity": "critical",
    "is_grouped": False,
    "mention_count": 1,
    "worst_mention": MENTION_EXAMPLE,
    "triggered_at": "2026-03-02T11:59:03Z",
    "notify_at": "2026-03-02T11:59:03Z",
    "delivered_at": "2026-03-02T11:59:04Z",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "assigned_to": None,
    "answered_at": None,
    "resolved_at": None,
    "resolved_by": None,
    "root_cause": None,
    "snoozed_until": None,
}


class AlertShown(Shown):
    """One case of a rule: triggered, acknowledged, resolved."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: str
    brand_id: str
    brand: str
    brand_name: str
    rule_id: str
    rule: str
    state: AlertState
    severity: SeverityWord
    is_grouped: bool
    mention_count: int
    worst_mention: MentionShown | None
    triggered_at: datetime
    notify_at: datetime
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    answered_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    root_cause: str | None
    snoozed_until: datetime | None


class AlertPage(Page):
    """Newest first."""

    items: list[AlertShown]


class DecisionShown(Shown):
    """Why the rule spoke up about a mention, or why not."""

    mention_id: str
    post_version: int
    reason: str
    decided_at: datetime


class DeliveryShown(Shown):
    """One tracked sending of one alert to one receiver."""

    id: str
    event: str = Field(description="What it tells, e.g. `alert.triggered`.")
    alert_id: str | None = Field(description="null: it tells of an operations alert.")
    operations_alert_id: str | None
    receiver_id: str
    receiver: str
    kind: ReceiverKind
    state: DeliveryState
    sequence: int
    attempts: int
    last_error: str | None
    next_attempt_at: datetime
    created_at: datetime
    delivered_at: datetime | None


class AlertWhole(AlertShown):
    """One alert with its mentions, decisions and deliveries."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": EXAMPLE
            | {
                "mentions": [MENTION_EXAMPLE],
                "decisions": [
                    {
                        "mention_id": "men_Uk3bXq0aLw",
                        "post_version": 1,
                        "reason": "severe_at_once",
                        "decided_at": "2026-03-02T11:59:03Z",
                    }
                ],
                "deliveries": [],
            }
        }
    )

    mentions: list[MentionShown] = Field(description="Worst first, at most 100.")
    decisions: list[DecisionShown]
    deliveries: list[DeliveryShown]


class AlertQuery(ListQuery):
    """Filters of a list of alerts; a repeated filter means "any of these"."""

    state: list[AlertState] = Field([], max_length=3)
    brand: Filter = Field([], description="Slug or id; repeat for several.")
    severity: SeverityWord | None = Field(None, description="At least this level.")
    from_: Moment | None = Field(None, alias="from", description="Triggered at or after.")
    to: Moment | None = Field(None, description="Triggered before.")


class Assignment(Wanted):
    """Who takes care of it."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "ana@voltano.example"}})

    to: Line | None = Field(description="A name; null for nobody.")


class Resolution(Wanted):
    """What was the matter, so that it can be fixed for good."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"root_cause": "Faulty batch of chargers, recalled."}}
    )

    root_cause: Text | None = Field(None, max_length=2000)


class DeliveryPage(Page):
    """Newest first."""

    items: list[DeliveryShown]


class DeliveryQuery(ListQuery):
    """Filters of a list of deliveries."""

    state: list[DeliveryState] = Field([], max_length=3)
