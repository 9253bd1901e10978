"""How long a site wants to be left alone: Retry-After and the headers of rate limits. Pure.

Limits are written as x-rate-limit-* (X), x-ratelimit-* (most) or ratelimit-* (a draft of the IETF),
and their end as seconds from now, as seconds or milliseconds since 1970, or as a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: A site that asks for more is asked again after this.
LONGEST_WAIT = timedelta(days=1)
_PREFIXES = ("x-rate-limit", "x-ratelimit", "ratelimit")
_NUMBER = re.compile(r"\d{1,13}(?:\.\d{0,9})?", re.ASCII)
_YEAR_2001 = 10**9  #: in seconds since 1970; a smaller number is one from now
_MILLISECONDS = 10**12  #: and more is no number of seconds


def asked_wait(status: int, headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Until when a site wants to be left alone: Retry-After, or a limit that is used up.

    Both count on every status.
    """
    unsaid = "0" if status == 429 else ""
    ends = [
        _lifted(headers.get(f"{prefix}-reset", ""), now=now)
        for prefix in _PREFIXES
        if _is_used_up(headers.get(f"{prefix}-remaining", unsaid))
    ]
    waits = (retry_after(headers.get("retry-after", ""), now=now), *ends)
    return max((until for until in waits if until is not None and until > now), default=None)


def limit_ends(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """When the limits in the headers are lifted, used up or not; None for what is past or nonsense.

    At most a day ahead.
    """
    ends = (_lifted(headers.get(f"{prefix}-reset", ""), now=now) for prefix in _PREFIXES)
    return max((end for end in ends if end is not None and end > now), default=None)


def retry_after(value: str, *, now: datetime) -> datetime | None:
    """Read a Retry-After header, seconds or a date; at most a day ahead, None when unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return now + min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    return _at_date(text, parsedate_to_datetime, now=now)


def _is_used_up(remaining: str) -> bool:
    number = _NUMBER.fullmatch(remaining.split(",")[0].strip())
    return number is not None and float(number[0]) < 1


def _lifted(value: str, *, now: datetime) -> datetime | None:
    text = value.split(",")[0].strip()
    if not _NUMBER.fullmatch(text):
        at = _at_date(text, datetime.fromisoformat, now=now)
        return at or _at_date(value, parsedate_to_datetime, now=now)
    number = float(text)
    if number >= _MILLISECONDS:
        number /= 1000
    since_1970 = number if number >= _YEAR_2001 else now.timestamp() + number
    # Where they cut the fraction off, the end named is up to a second early.
    return min(datetime.fromtimestamp(since_1970, UTC) + timedelta(seconds=1), now + LONGEST_WAIT)


def _at_date(text: str, read: Callable[[str], datetime], *, now: datetime) -> datetime | None:
    try:
        at = read(text)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(at, now), now + LONGEST_WAIT)
