"""Values that travel between the rooms; none of them knows the database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Sentiment(StrEnum):
    """What a text says about its subject, in three classes."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Severity(IntEnum):
    """How bad a text is for the brand; ordered, so levels compare."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The word used in the API and the docs, e.g. ``critical``."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Severity:
        """Read a level from its word; ``ValueError`` names the known ones."""
        try:
            return cls[label.upper()]
        except KeyError:
            known = ", ".join(level.label for level in cls)
            raise ValueError(f"unknown severity {label!r}; known: {known}") from None


class Category(StrEnum):
    """What a complaint is about; several may hold."""

    SAFETY = "safety"
    LEGAL = "legal"
    FRAUD = "fraud"
    PRIVACY = "privacy"
    THREAT = "threat"
    DISCRIMINATION = "discrimination"
    MISCONDUCT = "misconduct"
    SABOTAGE = "sabotage"
    BILLING = "billing"
    DELIVERY = "delivery"
    PRODUCT = "product"
    SERVICE = "service"
    CHURN = "churn"
    BOYCOTT = "boycott"
    FALSE_CLAIM_POSSIBLE = "false_claim_possible"


class PublishedQuality(StrEnum):
    """How exactly the source says when a post was published."""

    EXACT = "exact"
    DAY = "day"
    MONTH = "month"
    UNKNOWN = "unknown"


class PostKind(StrEnum):
    """What sort of text a post is on its source."""

    COMPLAINT = "complaint"
    REVIEW = "review"
    COMMENT = "comment"
    ARTICLE = "article"
    POST = "post"


class RunOutcome(StrEnum):
    """How one run of one source ended."""

    RUNNING = "running"
    OK = "ok"
    EMPTY = "empty"
    BLOCKED = "blocked"
    DRIFT = "drift"
    AUTH = "auth"
    QUOTA = "quota"
    ERROR = "error"


class AlertState(StrEnum):
    """Where an alert stands; it only moves to the right."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class DeliveryState(StrEnum):
    """Where one tracked sending stands; ``dead`` was given up and is shown."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class DeliveryEvent(StrEnum):
    """What a delivery tells: that an alert was raised, or what became of its mentions since."""

    TRIGGERED = "alert.triggered"
    DELETED = "mention.deleted"
    REMOVED_AFTER_RESOLUTION = "mention.removed_after_resolution"
    RESTORED = "mention.restored"  #: it was gone, and is there again
    SOURCE_NOT_HEARD = "operations.source_not_heard"  #: of an operations alert, as the next
    SOURCE_HEARD_AGAIN = "operations.source_heard_again"


class GoneReason(StrEnum):
    """Why a post is no longer on its source."""

    DELETED = "deleted"
    REMOVED_AFTER_RESOLUTION = "removed_after_resolution"  #: a case that ended well


class Role(StrEnum):
    """What an API key may do; ``admin`` may do everything."""

    OWNER = "owner"
    ANALYST = "analyst"
    OPS = "ops"
    ADMIN = "admin"


class ReceiverKind(StrEnum):
    """The channels over which a receiver is told."""

    LOG = "log"
    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One text as a source published it; a value, not yet ours."""

    external_id: str  #: the source's own id; (source, external_id) is unique
    text: str
    url: str
    kind: PostKind = PostKind.POST
    title: str | None = None
    author: str | None = None
    author_id: str | None = None
    published_at: datetime | None = None  #: aware, UTC; None when the source does not say
    published_quality: PublishedQuality = PublishedQuality.UNKNOWN
    edited_at: datetime | None = None  #: aware, UTC; when the source says that it was changed
    language: str | None = None  #: as the source claims it; the judge decides for itself
    rating: float | None = None  #: on ``rating_scale``; None when the source has no rating
    rating_scale: float | None = None  #: the best possible rating, e.g. 5
    parent_id: str | None = None  #: external id of the post that this one answers
    is_deleted: bool = False  #: the source says that the post is gone
    engagement: Mapping[str, int] = field(default_factory=dict)  #: e.g. {"likes": 3}
    extra: Mapping[str, object] = field(default_factory=dict)  #: JSON values the site also gives

    @property
    def external_id_hash(self) -> bytes:
        """SHA-256 of the external id: unique keys must not grow with a site's ids."""
        return hashlib.sha256(self.external_id.encode("utf-8", "surrogatepass")).digest()

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over what a reader reads; it changes exactly when an edit matters."""
        parts = (self.title or "", self.text, str(self.rating), "gone" if self.is_deleted else "")
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
