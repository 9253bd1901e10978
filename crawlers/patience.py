"""A short write that must not be lost because the database is away just then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger()
T = TypeVar("T")
#: What the database's being away looks like.
AWAY = (OperationalError, InterfaceError, PoolTimeout)
_LONGEST_WAIT = 5.0


async def patiently(write: Callable[[], T], *, seconds: float) -> T:
    """Do ``write`` in a thread, again while the database is away, for at most so many seconds.

    A commit whose answer was lost is done twice, so ``write`` must bear that.
    """
    deadline, wait = time.monotonic() + seconds, 0.25
    while True:
        try:
            return await asyncio.to_thread(write)
        except AWAY as error:
            if time.monotonic() + wait > deadline:
                raise
            log.warning("crawl_waits_for_database", error=type(error).__name__, wait_seconds=wait)
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
