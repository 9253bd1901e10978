"""Twisted's reactor on the running asyncio loop, so that Scrapy runs in it any number of times.

``startRunning`` without ``reactor.run()`` is no documented recipe of Scrapy: its version is
pinned, and a test crawls twice in one process.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet import asyncioreactor

from crawlers.engine.guard import GuardedLookUp, install


def start_reactor(look_up: GuardedLookUp) -> Any:
    """Install and start the reactor, with the guard as its only way to resolve a name."""
    take_over: Any = asyncioreactor.install
    take_over(asyncio.get_running_loop())
    from twisted.internet import reactor

    install(reactor, look_up)
    running: Any = reactor
    running.startRunning(installSignalHandlers=False)
    return running
