"""Rules, alerts and the outbox of a workspace; guarded by row-level security."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.models.columns import (
    Base,
    Big,
    Created,
    Key,
    Small,
    Time,
    Word,
    Words,
    child_of,
    one_of,
    tenant,
)


class Receiver(Base):
    """Who is told, and how."""

    __tablename__ = "receiver"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        UniqueConstraint("id", "workspace_id"),
        one_of("kind", "log", "webhook", "email"),
        one_of("managed_by", "api", "file"),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    slug: Mapped[Word]
    kind: Mapped[Word]
    address: Mapped[Word]  #: URL or e-mail address; empty for the log
    secret: Mapped[Word | None]  #: signing secret of a webhook, ``whsec_…``
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_operations: Mapped[bool] = mapped_column(server_default=text("false"))  #: told of sources
    managed_by: Mapped[Word] = mapped_column(server_default="api")
    created_at: Mapped[Created]


class AlertRule(Base):
    """When to speak up."""

    __tablename__ = "alert_rule"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        UniqueConstraint("id", "workspace_id"),
        child_of("brand", "brand_id"),
        one_of("managed_by", "api", "file"),
        CheckConstraint("at_once_severity BETWEEN 0 AND 4", name="at_once_known"),
        CheckConstraint("group_severity BETWEEN 0 AND 4", name="group_known"),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    slug: Mapped[Word]
    brand_id: Mapped[Big | None]  #: null: every brand of the workspace
    sentiments: Mapped[Words]
    at_once_severity: Mapped[Small]  #: from this level on, alert at once
    group_severity: Mapped[Small]  #: from this level on, gather for ``group_wait_seconds``
    group_wait_seconds: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    managed_by: Mapped[Word] = mapped_column(server_default="api")
    created_at: Mapped[Created]


class AlertRuleReceiver(Base):
    """Whom a rule tells."""

    __tablename__ = "alert_rule_receiver"
    __table_args__ = (child_of("alert_rule", "rule_id"), child_of("receiver", "receiver_id"))
    rule_id: Mapped[Big] = mapped_column(primary_key=True)
    receiver_id: Mapped[Big] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = tenant()


class Alert(Base):
    """One case of a rule: triggered → acknowledged → resolved."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("workspace_id", "dedup_key"),
        UniqueConstraint("id", "workspace_id"),
        child_of("alert_rule", "rule_id"),
        child_of("brand", "brand_id"),
        one_of("state", "triggered", "acknowledged", "resolved"),
        CheckConstraint("severity BETWEEN 0 AND 4", name="severity_known"),
        Index("ix_alert_feed", "workspace_id", text("triggered_at DESC"), text("id DESC")),
        Index(
            "ix_alert_open_group",
            "rule_id",
            "brand_id",
            "notify_at",
            postgresql_where=text("is_grouped AND state = 'triggered'"),
        ),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    rule_id: Mapped[Big]
    brand_id: Mapped[Big]
    dedup_key: Mapped[Word]
    state: Mapped[Word] = mapped_column(server_default="triggered")
    severity: Mapped[Small]  #: the worst of its mentions
    is_grouped: Mapped[bool]
    triggered_at: Mapped[Time]
    notify_at: Mapped[Time]  #: when its deliveries are due; later than triggered for a group
    delivered_at: Mapped[Time | None]  #: first arrival at any receiver
    acknowledged_at: Mapped[Time | None]
    acknowledged_by: Mapped[Word | None]
    assigned_to: Mapped[Word | None]
    answered_at: Mapped[Time | None]
    resolved_at: Mapped[Time | None]
    resolved_by: Mapped[Word | None]
    root_cause: Mapped[Word | None]
    snoozed_until: Mapped[Time | None]


class AlertMention(Base):
    """Which mentions an alert speaks of."""

    __tablename__ = "alert_mention"
    __table_args__ = (child_of("alert", "alert_id"), child_of("mention", "mention_id"))
    alert_id: Mapped[Big] = mapped_column(primary_key=True)
    mention_id: Mapped[Big] = mapped_column(primary_key=True, index=True)
    workspace_id: Mapped[int] = tenant()
    added_at: Mapped[Time]


class AlertDecision(Base):
    """Why a rule spoke up about a mention, or why not; one row a version of the post."""

    __tablename__ = "alert_decision"
    __table_args__ = (
        child_of("alert_rule", "rule_id"),
        child_of("mention", "mention_id"),
        child_of("alert", "alert_id"),
    )
    mention_id: Mapped[Big] = mapped_column(primary_key=True)
    rule_id: Mapped[Big] = mapped_column(primary_key=True)
    post_version: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = tenant()
    alert_id: Mapped[Big | None] = mapped_column(index=True)
    reason: Mapped[Word]
    decided_at: Mapped[Time]


class Delivery(Base):
    """One tracked sending of one alert, of either sort, to one receiver: the outbox."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("alert_id", "receiver_id", "sequence"),
        UniqueConstraint("operations_alert_id", "receiver_id", "sequence"),
        CheckConstraint("num_nonnulls(alert_id, operations_alert_id) = 1", name="of_one_alert"),
        child_of("alert", "alert_id"),
        child_of("receiver", "receiver_id"),
        one_of("state", "pending", "delivered", "dead"),
        Index("ix_delivery_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    alert_id: Mapped[Big | None]
    operations_alert_id: Mapped[Big | None] = mapped_column(
        ForeignKey("operations_alert.id", ondelete="CASCADE")
    )
    receiver_id: Mapped[Big] = mapped_column(index=True)
    sequence: Mapped[int] = mapped_column(server_default="0")  #: 0 first, then updates, reminders
    event: Mapped[Word] = mapped_column(server_default="alert.triggered")  #: what it tells
    mention_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  #: null: all of it
    idempotency_key: Mapped[UUID] = mapped_column(unique=True)  #: constant over retries
    state: Mapped[Word] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[Time]
    lease_until: Mapped[Time | None]  #: a dispatcher works on it until then
    last_error: Mapped[Word | None]
    created_at: Mapped[Time]
    delivered_at: Mapped[Time | None]
