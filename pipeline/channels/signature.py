"""Signatures of Standard Webhooks, so that a receiver knows who called."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def is_usable(secret: str) -> bool:
    """Whether a secret is ``whsec_`` and base64 of 24 to 64 bytes, as the standard asks."""
    if not secret.startswith(PREFIX):
        return False
    try:
        raw = base64.b64decode(secret.removeprefix(PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError):
        return False
    return _SHORTEST <= len(raw) <= _LONGEST


def sign(secret: str, *, message_id: str, at: datetime, body: bytes) -> str:
    """The value of ``webhook-signature``; ``ValueError`` for a secret that is not usable."""
    if not is_usable(secret):
        raise ValueError("the secret is not whsec_ and base64 of 24 to 64 bytes")
    # The library writes UTC onto the time without converting it.
    return str(
        Webhook(secret).sign(msg_id=message_id, timestamp=at.astimezone(UTC), data=body.decode())
    )
