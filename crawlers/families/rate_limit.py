"""A spent limit on requests, and when the site says that it is lifted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from crawlers.contract import Fetched
from crawlers.errors import QuotaError

_HEADERS = ("x-ratelimit-reset", "ratelimit-reset")
_YEAR_2001 = 10**9  # smaller numbers are seconds from now, larger ones since 1970
_LONGEST = timedelta(days=1)


def spent(fetched: Fetched) -> QuotaError | None:
    """The end of a run whose window is used up; None where no header says when it ends."""
    until = lifted_at(fetched.headers, now=fetched.fetched_at) if fetched.status == 429 else None
    if until is None:
        return None
    reason = f"too many requests (429); there are more from {until:%Y-%m-%d %H:%M:%S} UTC"
    return QuotaError(reason, until=until)


def lifted_at(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """The end of a window, which sites write as seconds from now, since 1970, or as a date.

    None for what is past, more than a day ahead, or nonsense.
    """
    said = next((headers[name] for name in _HEADERS if headers.get(name)), "")
    moment = _moment(said.split(",")[0].strip(), now)
    return moment if moment is not None and now < moment <= now + _LONGEST else None


def _moment(said: str, now: datetime) -> datetime | None:
    whole = said.partition(".")[0]
    if whole.isascii() and whole.isdigit() and len(whole) < 12:
        seconds = int(whole)
        if seconds >= _YEAR_2001:
            return datetime.fromtimestamp(seconds, tz=UTC)
        # A second more: what they write may be cut off at the point.
        return now + timedelta(seconds=seconds + 1) if seconds < 10**6 else None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
