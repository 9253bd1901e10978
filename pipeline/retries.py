"""When a failed delivery is tried again: the schedule of Standard Webhooks, about three days."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

#: Before the first attempt, the second, and so on.
SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
_LONGEST = timedelta(days=1)


def wait_before_next(
    *, attempts: int, key: UUID, retry_after: timedelta | None = None
) -> timedelta | None:
    """How long to wait after ``attempts`` failures; None to give up.

    The wait differs by up to a tenth from one delivery to the next, so that those which failed
    together do not return together. A receiver may ask for more, up to a day, never for less.
    """
    if attempts >= len(SCHEDULE):
        return None
    wait = SCHEDULE[attempts] * (1 + 0.1 * _jitter(key, attempts))
    return max(wait, min(retry_after, _LONGEST)) if retry_after else wait


def _jitter(key: UUID, attempts: int) -> float:
    """Between -1 and 1, the same for the same attempt."""
    digest = hashlib.sha256(key.bytes + attempts.to_bytes(4, "big")).digest()
    return int.from_bytes(digest[:4], "big") / (2**32 - 1) * 2 - 1
