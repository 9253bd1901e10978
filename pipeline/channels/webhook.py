"""Tell a web address, by the rules of Standard Webhooks.

The request is a POST of JSON with ``webhook-id`` (the idempotency key), ``webhook-timestamp``
and, for a receiver with a secret, ``webhook-signature``. Only an answer 2xx is an arrival: 410
switches the receiver off, everything else, also a redirect, is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from core.errors import AddressRefused
from pipeline.channels.channel import Outcome, Sending, Verdict
from pipeline.channels.signature import sign
from pipeline.message import Message, ToldMention
from pipeline.operations_message import OperationsMessage

#: A client of its own for each sending, so that one slow receiver holds no other's connection.
OpenClient = Callable[[], httpx.Client]


class WebhookChannel:
    """Posts to the address of the receiver through a guarded client."""

    def __init__(self, open_client: OpenClient) -> None:
        self._open_client = open_client

    def __call__(self, sending: Sending) -> Outcome:
        """Try once; the answer's body is not read."""
        body = orjson.dumps(payload(sending.message))
        try:
            headers = signed_headers(sending, body)
        except ValueError as error:
            return _hopeless(str(error))
        try:
            with (
                self._open_client() as client,
                client.stream("POST", sending.address, content=body, headers=headers) as answer,
            ):
                return judge_answer(answer.status_code, answer.headers, now=sending.now)
        except AddressRefused as error:
            return _hopeless(str(error))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return _hopeless(f"not a usable address: {error}")
        except (httpx.HTTPError, OSError) as error:
            return Outcome(verdict=Verdict.RETRY, reason=_in_words(error))


def signed_headers(sending: Sending, body: bytes) -> dict[str, str]:
    """The three headers; ``ValueError`` for a secret that cannot sign."""
    at = sending.now.astimezone(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": str(sending.idempotency_key),
        "webhook-timestamp": str(int(at.timestamp())),
    }
    if sending.secret:
        headers["webhook-signature"] = sign(
            sending.secret, message_id=headers["webhook-id"], at=at, body=body
        )
    return headers


def judge_answer(status: int, headers: httpx.Headers, *, now: datetime) -> Outcome:
    """What an answer means for the delivery."""
    if 200 <= status < 300:
        return Outcome(verdict=Verdict.ARRIVED)
    if status == 410:
        return Outcome(verdict=Verdict.GONE, reason="the receiver answered 410: gone")
    reason = f"the receiver answered {status}"
    if 300 <= status < 400:
        reason += ", a redirect, which is not followed: enter the final address"
    return Outcome(
        verdict=Verdict.RETRY,
        reason=reason,
        retry_after=retry_after(headers.get("retry-after", ""), now=now),
    )


def retry_after(said: str, *, now: datetime) -> timedelta | None:
    """Read the header in either form; None when it says nothing usable."""
    said = said.strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), 10**8))
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(at - now, timedelta())


def payload(message: Message | OperationsMessage) -> dict[str, Any]:
    """The body; keys are added over time, never taken away or given another meaning."""
    if isinstance(message, OperationsMessage):
        return _of_source(message)
    return {
        "type": message.event.value,
        "timestamp": message.at.isoformat(),
        "data": {
            "alert": {
                "id": message.alert_id,
                "rule": message.rule,
                "state": message.state,
                "severity": message.severity.label,
                "is_grouped": message.is_grouped,
                "triggered_at": message.triggered_at.isoformat(),
                "link": message.link,
            },
            "workspace": message.workspace,
            "brand": {
                "id": message.brand_id,
                "slug": message.brand_slug,
                "name": message.brand,
            },
            "mention_count": message.mention_count,
            "mentions": [_mention(one) for one in message.mentions],
        },
    }


def _mention(one: ToldMention) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "source": {"slug": one.source, "kind": one.source_kind},
        "title": one.title,
        "excerpt": one.excerpt,
        "author": one.author,
        "language": one.language,
        "sentiment": one.sentiment,
        "severity": one.severity.label,
        "categories": list(one.categories),
        "reasons": list(one.reasons),
        "matched": list(one.matched),
        "version": one.version,
        "published_at": one.published_at.isoformat() if one.published_at else None,
        "seen_at": one.seen_at.isoformat(),
        "judged_at": one.judged_at.isoformat(),
        "deleted_at": one.deleted_at.isoformat() if one.deleted_at else None,
        "gone_reason": one.gone_reason,
    }


def _of_source(message: OperationsMessage) -> dict[str, Any]:
    resolved_at = message.resolved_at
    return {
        "type": message.event.value,
        "timestamp": message.at.isoformat(),
        "data": {
            "operations_alert": {
                "id": message.alert_id,
                "outcome": message.outcome,
                "reason": message.reason,
                "runs": message.runs,
                "opened_at": message.opened_at.isoformat(),
                "seen_at": message.seen_at.isoformat(),
                "resolved_at": resolved_at.isoformat() if resolved_at else None,
                "link": message.link,
            },
            "source": {
                "id": message.source_id,
                "slug": message.source,
                "kind": message.source_kind,
            },
        },
    }


def _hopeless(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.HOPELESS, reason=reason)


def _in_words(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer in time ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"[:300]
