"""A child of a crawl worker: runs several crawls on one loop, ticks every second, obeys.

It is made to be killed at any moment: each page is one transaction, and the next run goes on
from there. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psutil
import structlog

from core.address import AddressGuard
from core.database import owner_engine
from core.errors import DatabaseError
from core.log import configure_logging
from crawlers.catalogue import with_own_sites
from crawlers.contract import Spider
from crawlers.engine.crawl import crawl
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.office import Office
from crawlers.engine.reactor import start_reactor
from crawlers.engine.turns import Turns
from crawlers.wire import Greeting, Message, Order, Parsing, Report, Tick, line, read, read_greeting

log = structlog.get_logger()
TICK_SECONDS = 1.0
#: Characters of an error or a reason in a report: as JSON still less than a pipe takes at once.
LONGEST_SAID = 300
_PR_SET_PDEATHSIG = 1


def main(spiders: Mapping[str, Spider], *, clock: Callable[[], datetime] | None = None) -> None:
    """Serve the parent at the other end of standard input and output until it is gone.

    ``clock`` says what time it is, aware; without it the machine does.
    """
    answers = _claim_stdout()
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too; it decides
    asyncio.run(_serve(spiders, answers, clock or _now))


def _claim_stdout() -> int:
    """Keep the pipe for answers; whatever prints goes to the log's stream."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _end_with_parent() -> None:
    """Ask Linux to kill us with the parent: a child that hangs would not see its input end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _serve(
    spiders: Mapping[str, Spider], answers: int, clock: Callable[[], datetime]
) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    first = await orders.readline()
    if not first:
        return
    greeting = read_greeting(first)
    configure_logging(
        level=greeting.log.level, style=greeting.log.format, process=f"crawl-child-{os.getpid()}"
    )
    say = _Voice(answers)
    known = with_own_sites(spiders, greeting.crawl.sites)
    office = _office(greeting, known, say, clock)
    start_reactor(office.look_up)
    serving = asyncio.create_task(_Desk(office, say).obey(orders))
    loop.add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        pass
    finally:
        _leave(office)


def _office(
    greeting: Greeting,
    spiders: Mapping[str, Spider],
    say: _Voice,
    clock: Callable[[], datetime],
) -> Office:
    settings = greeting.crawl
    guard = AddressGuard.opening(settings.allowed_addresses)
    size = settings.crawls_per_child
    return Office(
        engine=owner_engine(greeting.database_url, pool_size=min(4, size)),
        spiders=spiders,
        settings=settings,
        guard=guard,
        look_up=GuardedLookUp(guard),
        turns=Turns(
            delay_seconds=settings.delay_seconds,
            longest_delay_seconds=settings.longest_delay_seconds,
            clock=clock,
        ),
        credentials=greeting.credentials,
        evidence=greeting.evidence,
        clock=clock,
        tell_parsing=lambda source_id, is_over: say(Parsing(source_id=source_id, is_over=is_over)),
        threads=ThreadPoolExecutor(size + 2, thread_name_prefix="crawl"),
    )


class _Voice:
    """Writes to the parent, from any thread: a line is shorter than a pipe takes at once."""

    def __init__(self, answers: int) -> None:
        self._answers = answers

    def __call__(self, message: Message) -> None:
        try:
            os.write(self._answers, line(message))
        except BrokenPipeError:
            os.kill(os.getpid(), signal.SIGTERM)


class _Desk:
    def __init__(self, office: Office, say: _Voice) -> None:
        self._office, self._say = office, say
        self._crawls: dict[int, asyncio.Task[None]] = {}
        self._self = psutil.Process()

    async def obey(self, orders: asyncio.StreamReader) -> None:
        ticking = asyncio.create_task(self._tick())
        while raw := await orders.readline():
            order = read(raw)
            if not isinstance(order, Order):
                raise TypeError(f"a child takes orders only: {raw!r}")
            if order.is_cancelled:
                self._cancel(order.job)
            else:
                self._crawls[order.job] = asyncio.create_task(self._crawl(order))
        ticking.cancel()

    def _cancel(self, job: int) -> None:
        if task := self._crawls.get(job):
            task.cancel()

    async def _tick(self) -> None:
        while True:
            stuck, since = min(
                self._office.parsing_since.copy().items(),
                key=lambda one: one[1],
                default=(0, time.monotonic()),
            )
            seconds = time.monotonic() - since
            self._say(Tick(rss=self._self.memory_info().rss, stuck=stuck, stuck_seconds=seconds))
            await asyncio.sleep(TICK_SECONDS)

    async def _crawl(self, order: Order) -> None:
        try:
            self._say(await self._report(order))
        finally:
            del self._crawls[order.job]

    async def _report(self, order: Order) -> Report:
        try:
            done = await crawl(order.source_id, office=self._office)
        except asyncio.CancelledError:
            return Report(job=order.job, error="cancelled")
        except DatabaseError as error:
            return Report(job=order.job, error=str(error)[:LONGEST_SAID], is_database_away=True)
        except Exception as error:
            # One crawl must not take the others of this process with it.
            log.exception("crawl_broke", source_id=order.source_id)
            return Report(job=order.job, error=f"{type(error).__name__}: {error}"[:LONGEST_SAID])
        if done is None:
            return Report(job=order.job, outcome="gone", reason="there is no such source")
        verdict = done.verdict
        reason = verdict.reason[:LONGEST_SAID]
        return Report(job=order.job, outcome=verdict.outcome.value, reason=reason)


def _leave(office: Office) -> None:
    """End at once: threads of Twisted and of a spider that hangs would be waited for."""
    office.engine.dispose()
    logging.shutdown()
    os._exit(0)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    from crawlers.catalogue import spiders

    main(spiders())
