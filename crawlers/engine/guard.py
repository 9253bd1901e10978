"""The address guard inside Scrapy: what was checked is what is dialled.

URLs are checked before a request starts, also of redirects and next pages. Names are resolved by
a resolver that hands Twisted only addresses that the guard allows, so a second look-up that says
something else (rebinding) is never dialled.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, cast

from scrapy import Request
from scrapy.crawler import Crawler

from core.address import AddressGuard
from core.errors import AddressRefused

LookUp = Callable[..., list[Any]]
_REMEMBERED = 1000


class GuardedLookUp:
    """``getaddrinfo`` that leaves out refused addresses, and remembers why."""

    def __init__(self, guard: AddressGuard, *, look_up: LookUp = socket.getaddrinfo) -> None:
        self._guard, self._look_up = guard, look_up
        self._refused: dict[tuple[str, int], AddressRefused] = {}

    def __call__(self, host: Any, port: Any, *rest: Any) -> list[Any]:
        try:
            found = self._look_up(host, port, *rest)
        except UnicodeError as error:
            # Twisted waits for ever when anything but gaierror comes out of here.
            raise socket.gaierror(socket.EAI_NONAME, f"no host name: {error}") from error
        return [entry for entry in found if self._is_allowed(str(host), int(port), entry)]

    def _is_allowed(self, host: str, port: int, entry: Any) -> bool:
        try:
            self._guard.check_address(host, port, str(entry[4][0]))
        except AddressRefused as refusal:
            if len(self._refused) >= _REMEMBERED:
                self._refused.clear()
            self._refused[host.lower(), port] = refusal
            return False
        return True

    def refusal(self, host: str, port: int) -> AddressRefused | None:
        """Why the last look-up of this host gave nothing, if the guard was the reason."""
        return self._refused.pop((host.lower(), port), None)


def install(reactor: Any, look_up: GuardedLookUp) -> None:
    """Make every connection by name of this process go through ``look_up``."""
    from twisted.internet._resolver import GAIResolver

    reactor.installNameResolver(GAIResolver(reactor, getaddrinfo=cast("Any", look_up)))


class GuardMiddleware:
    """Refuses a request by its URL before anything is resolved or dialled."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        """Built by Scrapy for each crawl."""
        return cls(cast("Any", crawler.spider).run.office.guard)

    def process_request(self, request: Request) -> None:
        """Raises ``AddressRefused``, which ends the run with that reason."""
        self._guard.check_url(request.url)
