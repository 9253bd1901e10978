"""One request at a time to a host, with a pause between, over all crawls of the process.

Scrapy counts per crawl, and several sources often live on one host. The pause grows with the time
that the host's answers take, as Scrapy's AutoThrottle has it, here over all crawls as well.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response

from crawlers.contract import Request as Asked
from crawlers.engine.deadline import unless_late
from crawlers.engine.headers import handshake_headers, plain_headers
from crawlers.engine.stream import LONGEST_PAGE, listen
from crawlers.engine.verdict import WaitError
from crawlers.reading.limits import asked_wait

if TYPE_CHECKING:
    from crawlers.engine.run import Run

_FORGET_ABOVE = 5000
#: A shorter wait that a host asks for is waited for within the run.
_PATIENCE_SECONDS = 10.0
_IN_TROUBLE = frozenset({500, 502, 503, 504})
# Its warnings name addresses as they were sent; what they tell of ends the run with a reason.
logging.getLogger("scrapy.core.downloader.handlers").setLevel(logging.CRITICAL)


@dataclass(slots=True)
class _Host:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0  #: monotonic; no request starts earlier
    delay: float = 0.0  #: seconds, by its robots.txt
    latency: float = 0.0  #: seconds that an answer takes lately
    wait_until: datetime | None = None  #: the host asked for it
    is_limit: bool = False  #: … by a limit on requests, and is not in trouble


class Turns:
    """Who may talk to which host when."""

    def __init__(
        self,
        *,
        delay_seconds: float,
        clock: Callable[[], datetime],
        longest_delay_seconds: float = 0.0,
    ) -> None:
        self._delay, self._longest, self._clock = delay_seconds, longest_delay_seconds, clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn; ``WaitError`` while the host has asked to be left alone."""
        host = self._host(name)
        self._check(name, host)
        async with host.turn:
            await asyncio.sleep(max(0.0, host.free_at - time.monotonic()))
            await asyncio.sleep(self._check(name, host))
            try:
                yield
            finally:
                host.free_at = time.monotonic() + self._pause(host)

    def _pause(self, host: _Host) -> float:
        drawn = max(self._delay, host.latency) * random.uniform(0.8, 1.2)  # noqa: S311
        return max(drawn, self._delay * 0.8, host.delay)

    def note_latency(self, name: str, seconds: float, *, is_page: bool) -> None:
        """Pause longer after slow answers; an error, which comes quickly, shortens no pause."""
        host = self._host(name)
        found = (host.latency + min(seconds, self._longest)) / 2
        found = max(found, min(seconds, self._longest))
        if is_page or found > host.latency:
            host.latency = found

    def slow_down(self, name: str, *, seconds: float) -> None:
        """Pause at least so long between requests to the host."""
        if seconds:
            self._host(name).delay = seconds

    def heed(self, name: str, status: int, headers: Mapping[str, str]) -> None:
        """Start no request to the host before the time that its answer names, whatever it is."""
        until = asked_wait(status, headers, now=self._clock())
        if until is not None:
            self.hold(name, until=until, is_limit=status not in _IN_TROUBLE)

    def hold(self, name: str, *, until: datetime, is_limit: bool = False) -> None:
        """Start no request to the host before a time."""
        host = self._host(name)
        if host.wait_until is None or until >= host.wait_until:
            host.wait_until, host.is_limit = until, is_limit

    def _check(self, name: str, host: _Host) -> float:
        """Seconds to wait until the host may be asked; ``WaitError`` when they are too many."""
        if host.wait_until is None:
            return 0.0
        left = (host.wait_until - self._clock()).total_seconds()
        if left > _PATIENCE_SECONDS:
            until = host.wait_until
            raise WaitError(
                f"{name} asked to wait until {until:%Y-%m-%d %H:%M:%S} UTC",
                until=until,
                is_limit=host.is_limit,
            )
        return max(0.0, left)

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

    It lets go when the run's time is over, whether or not Twisted calls back. Of a stream it hears
    a page; how long that takes says nothing of how slow the host is.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        run: Run = cast("Any", crawler.spider).run
        self._office, self._late, self._signing = run.office, run.late, run.signing
        self._turns = run.office.turns

    async def download_request(self, request: Request) -> Response:
        """Fetch, one at a time from a host."""
        return await unless_late(self._late, self._fetch(request))

    async def _fetch(self, request: Request) -> Response:
        host = urlsplit(request.url).hostname or ""
        asked: Asked | None = request.cb_kwargs.get("asked")
        async with self._turns.turn(host):
            sent = await self._signing.ready(request)
            if asked is not None and asked.is_stream:
                answer = await self._heard(sent, asked, host)
            else:
                answer = await self._answered(sent, host)
            self._turns.heed(host, answer.status, plain_headers(answer))
        return self._signing.unsigned(answer, request)

    async def _answered(self, sent: Request, host: str) -> Response:
        began, is_page = time.monotonic(), False
        try:
            answer = await super().download_request(sent)
            is_page = answer.status < 400
        except DownloadTimeoutError:
            # Its words name the address as it was sent.
            raise DownloadTimeoutError(f"no whole answer from {host}") from None
        finally:
            self._turns.note_latency(host, time.monotonic() - began, is_page=is_page)
        return answer

    async def _heard(self, sent: Request, asked: Asked, host: str) -> Response:
        settings = self._office.settings
        heard = await listen(
            sent.url,
            headers=handshake_headers(sent),
            hear=partial(self._signing.spider.hear, asked=asked, asked_at=self._office.clock()),
            look_up=self._office.look_up,
            seconds=settings.timeout_seconds,
            limit=min(settings.max_body_bytes, LONGEST_PAGE),
        )
        self._turns.note_latency(host, heard.opened_seconds, is_page=heard.status < 400)
        return Response(sent.url, status=heard.status, headers=dict(heard.headers), body=heard.body)
