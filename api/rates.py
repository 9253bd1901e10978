"""How often one key, or one address without a key, may call."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.problems import Problem


class Rates:
    """Counts in the memory of this process, so a limit holds for each API process."""

    def __init__(self, *, per_minute: int, refusals_per_minute: int = 60) -> None:
        self._calls = RateLimitItemPerMinute(per_minute)
        self._refusals = RateLimitItemPerMinute(refusals_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count_call(self, key_hash: bytes) -> None:
        """Count one call; by the hash of what was shown, so nobody uses up another's share."""
        if not self._limiter.hit(self._calls, "call", key_hash.hex()):
            raise self._too_many(self._calls, "call", key_hash.hex())

    def count_refusal(self, address: str) -> None:
        """Count one wrong key; a good key from the same address is never refused for it."""
        if not self._limiter.hit(self._refusals, "refused", address):
            raise self._too_many(self._refusals, "refused", address)

    def _too_many(self, item: RateLimitItemPerMinute, *names: str) -> Problem:
        reset_at = self._limiter.get_window_stats(item, *names).reset_time
        wait = max(1, min(60, math.ceil(reset_at - time.time())))
        return Problem(
            429,
            "too-many-requests",
            f"More than {item.amount} requests a minute; wait {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )
