"""One request at a time to a host, with a pause between, over all crawls of the process.

Scrapy counts per crawl, and several sources often live on one host.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.engine.deadline import unless_late
from crawlers.engine.verdict import WaitError

if TYPE_CHECKING:
    from crawlers.engine.run import Run

_FORGET_ABOVE = 5000


@dataclass(slots=True)
class _Host:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0  #: monotonic; no request starts earlier
    delay: float = 0.0
    wait_until: datetime | None = None  #: the host asked for it


class Turns:
    """Who may talk to which host when."""

    def __init__(self, *, delay_seconds: float, clock: Callable[[], datetime]) -> None:
        self._delay, self._clock = delay_seconds, clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn; ``WaitError`` while the host has asked to be left alone."""
        host = self._host(name)
        self._check(name, host)
        async with host.turn:
            await asyncio.sleep(max(0.0, host.free_at - time.monotonic()))
            self._check(name, host)
            try:
                yield
            finally:
                delay = max(self._delay, host.delay) * random.uniform(0.8, 1.2)  # noqa: S311
                host.free_at = time.monotonic() + delay

    def slow_down(self, name: str, *, seconds: float) -> None:
        """Pause at least so long between requests to the host."""
        if seconds:
            self._host(name).delay = seconds

    def hold(self, name: str, *, until: datetime) -> None:
        """Start no request to the host before a time."""
        self._host(name).wait_until = until

    def _check(self, name: str, host: _Host) -> None:
        if host.wait_until is not None and self._clock() < host.wait_until:
            until = host.wait_until
            raise WaitError(
                f"{name} asked to wait until {until:%Y-%m-%d %H:%M:%S} UTC", until=until
            )

    def _host(self, name: str) -> _Host:
        if len(self._hosts) > _FORGET_ABOVE:
            now = time.monotonic()
            self._hosts = {
                key: host
                for key, host in self._hosts.items()
                if host.turn.locked() or host.free_at > now or host.wait_until is not None
            }
        return self._hosts.setdefault(name, _Host())


class PoliteHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP client, waiting for its turn; the wait does not count as a slow answer.

    It lets go when the run's time is over, whether or not Twisted calls back.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        run: Run = cast("Any", crawler.spider).run
        self._turns, self._late = run.office.turns, run.late

    async def download_request(self, request: Request) -> Response:
        """Fetch, one at a time from a host."""
        return await unless_late(self._late, self._fetch(request))

    async def _fetch(self, request: Request) -> Response:
        async with self._turns.turn(urlsplit(request.url).hostname or ""):
            return await super().download_request(request)
