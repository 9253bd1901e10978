"""What an API says in the body of a refusal, and when it says to come back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crawlers.contract import Fetched
from crawlers.errors import DriftError, QuotaError
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, parse_json, words
from crawlers.reading.limits import limit_ends


def body_of(fetched: Fetched) -> Mapping[str, Json]:
    """The JSON object of an answer; empty when it is none: a refusal may come from a gateway."""
    text = decode(fetched.body[:1_000_000], content_type=fetched.headers.get("content-type", ""))
    try:
        body = parse_json(text, what="the refusal")
    except DriftError:
        return {}
    return body if isinstance(body, Mapping) else {}


def quoted(said: Json) -> str:
    """The site's own words, short enough for a reason; empty when it says none."""
    text = " ".join((words(said) or "").split())
    return f': "{text[:200]}"' if text else ""


def spent(fetched: Fetched) -> QuotaError | None:
    """The end of a run whose window is used up; None where no header says when it ends."""
    until = limit_ends(fetched.headers, now=fetched.fetched_at) if fetched.status == 429 else None
    if until is None:
        return None
    reason = f"too many requests (429); there are more from {until:%Y-%m-%d %H:%M:%S} UTC"
    return QuotaError(reason, until=until)


def next_midnight(now: datetime, *, zone: str) -> datetime:
    """The next begin of a day in a zone, in UTC: when a day's units are given anew."""
    there = now.astimezone(ZoneInfo(zone))
    return datetime.combine(there.date() + timedelta(days=1), time(), there.tzinfo).astimezone(UTC)
