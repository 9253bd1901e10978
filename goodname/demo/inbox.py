"""The webhook inbox: the firm's own system, where delivered alerts become visible."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

MOST_LETTERS = 1000
#: It guards nothing: the demo's sender and receiver are the same invented firm.
DEMO_SECRET = "whsec_Z29vZG5hbWUtZGVtby1pbmJveC1zaWduaW5nLWtleQ=="  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One thing that arrived."""

    received_at: datetime
    id: str  #: the sender's ``webhook-id``, constant over its retries
    is_signed: bool  #: whether the signature is right
    headers: Mapping[str, str]
    content: object  #: the JSON value, or the text where it is none


class Inbox:
    """The latest letters, oldest first; safe to use from many threads."""

    def __init__(self, secret: str = DEMO_SECRET) -> None:
        self._webhook = Webhook(secret)
        self._letters: deque[Letter] = deque(maxlen=MOST_LETTERS)
        self._lock = threading.Lock()

    def receive(self, body: bytes, *, headers: Mapping[str, str], now: datetime) -> Letter:
        """Keep a letter as it came, also when its signature is wrong."""
        letter = Letter(
            received_at=now,
            id=headers.get("webhook-id", ""),
            is_signed=self._is_signed(body, headers),
            headers=dict(headers),
            content=_content(body),
        )
        with self._lock:
            self._letters.append(letter)
        return letter

    def letters(self) -> list[Letter]:
        """A copy of all letters."""
        with self._lock:
            return list(self._letters)

    def as_json(self) -> list[dict[str, object]]:
        """All letters as JSON values."""
        return [
            asdict(one) | {"received_at": one.received_at.isoformat()} for one in self.letters()
        ]

    def _is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            return False
        return True


def _content(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
