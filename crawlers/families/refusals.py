"""What an API says in the body of a refusal, and when it says to come back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crawlers.contract import Fetched
from crawlers.errors import DriftError
from crawlers.reading.decode import decode
from crawlers.reading.json_body import Json, parse_json, words

LONGEST_WAIT = timedelta(days=1)
#: For a first page that tells nothing of what stands below it: it is never "not modified".
ALWAYS_WHOLE = {"If-None-Match": '"-"'}


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


def reset_at(fetched: Fetched, header: str = "x-rate-limit-reset") -> datetime | None:
    """When a limit is lifted, from seconds since 1970 in a header; None for nonsense."""
    said = fetched.headers.get(header, "").strip()
    if not (said.isascii() and said.isdigit() and len(said) < 12):
        return None
    moment = datetime.fromtimestamp(int(said), UTC)
    return min(max(moment, fetched.fetched_at), fetched.fetched_at + LONGEST_WAIT)


def next_midnight(now: datetime, *, zone: str) -> datetime:
    """The next begin of a day in a zone, in UTC: when a day's units are given anew."""
    there = now.astimezone(ZoneInfo(zone))
    return datetime.combine(there.date() + timedelta(days=1), time(), there.tzinfo).astimezone(UTC)
