"""What every channel has in common: it gets a message, and says how the sending went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pipeline.message import Message
from pipeline.operations_message import OperationsMessage


class Verdict(StrEnum):
    """What a sending came to."""

    ARRIVED = "arrived"
    RETRY = "retry"
    HOPELESS = "hopeless"  #: the next attempt would fail the same way
    GONE = "gone"  #: the receiver wants no more; it is switched off


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one sending went; ``reason`` is for a person and holds no secret."""

    verdict: Verdict
    reason: str = ""
    retry_after: timedelta | None = None  #: as the receiver asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One attempt to tell one receiver."""

    message: Message | OperationsMessage
    address: str
    secret: str | None
    idempotency_key: UUID  #: the same over all attempts
    attempt: int  #: from 1
    now: datetime


class Channel(Protocol):
    """Sends, and never raises for what the other side does."""

    def __call__(self, sending: Sending) -> Outcome:
        """Try once, within the delivery timeout."""
        ...
