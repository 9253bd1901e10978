"""The end of a run whose time is over: its downloads let go, and Scrapy comes to its own end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from crawlers.errors import CrawlError

T = TypeVar("T")
#: Without a download a crawl ends by itself, at once; if it does not, Scrapy is told to stop.
_END_SECONDS = 5.0


class LateError(CrawlError):
    """The time of the run was over before an answer came."""


async def finished_in_time(
    crawling: asyncio.Task[None],
    *,
    late: asyncio.Event,
    stop: Callable[[], Awaitable[None]],
    seconds: float,
) -> None:
    """Wait for the end of a crawl; set ``late``, and end it, when that takes too long.

    A crawl that does not end even then is waited for: what it would write, nobody else may write
    meanwhile. The parent of this process does not wait for ever.
    """
    await asyncio.wait({crawling}, timeout=seconds)
    if not crawling.done():
        late.set()
        await asyncio.wait({crawling}, timeout=_END_SECONDS)
    if not crawling.done():
        await stop()
    await asyncio.shield(crawling)


async def unless_late(late: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work``; ``LateError`` as soon as ``late`` is set, even if it does not let itself end."""
    working = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(late.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise LateError("the time of the run is over")
        return working.result()
    finally:
        ending.cancel()
        working.cancel()
