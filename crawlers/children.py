"""The parent's side of its children: starts them, gives them crawls, kills those that hang."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.errors import GoodnameError
from core.settings import CrawlSection
from crawlers.wire import Greeting, Order, Parsing, Report, Tick, greeting_line, line, read

log = structlog.get_logger()

COMMAND = (sys.executable, "-m", "crawlers.child")
#: Importing Scrapy takes a second or two, on a busy machine far more.
_START_SECONDS = 60.0
#: A child that cannot start is not started again and again without a pause.
_RESTART_SECONDS = 3.0
_STOP_SECONDS = 1.5
_WATCH_SECONDS = 0.5
#: A child ends late runs itself; but it may wait for its start, for the database and for Scrapy.
_LATE_SECONDS = 300.0
_MIB = 1024 * 1024


class ChildLostError(GoodnameError):
    """A child ended, or was killed, before the crawl did.

    ``suspects`` are the sources whose pages were being parsed then; nobody: any may be to blame.
    """

    def __init__(self, reason: str, *, suspects: frozenset[int], had_started: bool) -> None:
        super().__init__(reason)
        self.suspects, self.had_started = suspects, had_started

    def suspects_source(self, source_id: int) -> bool:
        """Whether this source may be why the child is gone."""
        return not self.suspects or source_id in self.suspects


@dataclass(frozen=True, slots=True)
class Awaited:
    """A crawl that a child was told to do."""

    source_id: int
    host: str
    report: asyncio.Future[Report]
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True, eq=False)
class Child:
    """One child process."""

    process: asyncio.subprocess.Process
    waiting: dict[int, Awaited] = field(default_factory=dict)  #: by job
    started_at: float = field(default_factory=time.monotonic)
    ticked_at: float | None = None  #: monotonic; None until it is ready
    rss: int = 0
    stuck_seconds: float = 0.0  #: for how long the page has been parsed that takes longest
    parsing: set[int] = field(default_factory=set)  #: sources whose spider's code runs
    is_retiring: bool = False  #: gets no more crawls and is stopped when the last is over
    lost: ChildLostError | None = None
    reader: asyncio.Task[None] | None = None

    @property
    def load(self) -> int:
        """Crawls that it runs."""
        return len(self.waiting)

    def send(self, order: Order) -> None:
        """Write an order; a dead child's pipe is noticed by its reader."""
        if self.process.stdin is not None:
            self.process.stdin.write(line(order))

    def kill(self, reason: str, *, culprit: int = 0) -> None:
        """End it now; all its crawls fail with ``reason``."""
        if self.lost is None:
            self.lose(f"worker child was killed: {reason}", culprit=culprit)
            log.error("crawl_child_killed", pid=self.process.pid, reason=reason, culprit=culprit)
        with suppress(ProcessLookupError):
            self.process.kill()

    def lose(self, reason: str, *, culprit: int = 0) -> ChildLostError:
        """Note that it is gone, and who may be to blame."""
        suspects = frozenset({culprit}) if culprit else frozenset(self.parsing)
        self.lost = ChildLostError(
            reason, suspects=suspects, had_started=self.ticked_at is not None
        )
        return self.lost


class Children:
    """A number of children, kept; one that is lost, or is suspected to be, is replaced."""

    def __init__(
        self, greeting: Greeting, settings: CrawlSection, *, command: Sequence[str] = COMMAND
    ) -> None:
        self._greeting, self._settings, self._command = greeting, settings, command
        self._all: list[Child] = []
        self._last_start = 0.0  #: monotonic
        self._numbers = itertools.count(1)
        self._homes: dict[str, Child] = {}  #: by host, the child that talks to it
        self._claims: dict[str, asyncio.Event] = {}  #: hosts that one crawl has for itself
        self._starting = asyncio.Lock()
        self._alone = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Children:
        self._watcher = asyncio.create_task(self._watch(), name="watch children")
        for _ in range(self._settings.children):
            await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watcher is not None:
            async with self._starting:  # cut off in a start, it would leave a child to nobody
                self._watcher.cancel()
        await asyncio.gather(*(self._stop(child) for child in list(self._all)))

    async def crawl(self, source_id: int, *, is_alone: bool, host: str = "") -> Report:
        """Have one source crawled; ``ChildLostError`` when its child does not live to tell.

        ``is_alone`` gives it a child of its own: if that dies too, this source is to blame. Crawls
        of one ``host`` are never in two children at once.
        """
        if not is_alone:
            return await self._crawl_in(await self._seat(host), source_id, host)
        async with self._alone:
            child = await self._idle_child()
            self._claims[host] = asyncio.Event()
            try:
                await self._end_elsewhere(host, here=child)
                return await self._crawl_in(child, source_id, host)
            finally:
                self._claims.pop(host).set()
                await self._stop(child)

    async def _crawl_in(self, child: Child, source_id: int, host: str) -> Report:
        job = next(self._numbers)
        report: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        if child.lost is not None:
            raise child.lost
        child.waiting[job] = Awaited(source_id, host, report)
        child.send(Order(job=job, source_id=source_id))
        try:
            return await report
        except asyncio.CancelledError:
            child.send(Order(job=job, is_cancelled=True))
            raise
        finally:
            child.waiting.pop(job, None)

    async def _seat(self, host: str) -> Child:
        """The host's own child, else the one with the fewest crawls, which becomes it."""
        while True:
            if host and (claim := self._claims.get(host)):
                await claim.wait()
            async with self._starting:
                seats = self._seats()
                while len(seats) < self._settings.children:
                    seats.append(await self._start())
            home = self._homes.get(host)
            if home is None or home not in seats or self._is_suspect(home):
                home = min(seats, key=lambda child: (self._is_suspect(child), child.load))
            is_free = not host or host not in self._claims
            if is_free and not await self._end_elsewhere(host, here=home):
                break
        if host:
            self._homes[host] = home
        return home

    async def _end_elsewhere(self, host: str, *, here: Child) -> bool:
        """Wait for crawls of a host in other children; whether there were any."""
        others = {
            awaited.report
            for child in self._all
            for awaited in child.waiting.values()
            if child is not here and host and awaited.host == host
        }
        if others:
            await asyncio.wait(others)
        return bool(others)

    async def _idle_child(self) -> Child:
        """A child for one crawl alone: one that has nothing to do, or a new one."""
        async with self._starting:
            idle = (child for child in self._seats() if not child.load)
            child = next(idle, None) or await self._start()
            child.is_retiring = True
        return child

    def _seats(self) -> list[Child]:
        return [child for child in self._all if not child.is_retiring and child.lost is None]

    async def _start(self) -> Child:
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        self._last_start = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        child = Child(process)
        assert process.stdin is not None  # noqa: S101 - asked for above
        process.stdin.write(greeting_line(self._greeting))
        self._all.append(child)
        child.reader = asyncio.create_task(self._read(child), name=f"child {process.pid}")
        return child

    async def _stop(self, child: Child) -> None:
        """End of its input ends a child; one that does not hear is killed."""
        if child.process.stdin is not None:
            child.process.stdin.close()
        try:
            await asyncio.wait_for(child.process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.process.kill()
            await child.process.wait()
        if child.reader is not None:
            await child.reader

    async def _read(self, child: Child) -> None:
        assert child.process.stdout is not None  # noqa: S101 - asked for at its start
        try:
            while raw := await child.process.stdout.readline():
                self._heed(child, raw)
        except ValueError as error:
            child.kill(f"it does not make itself understood: {error}")
        finally:
            status = await child.process.wait()
            self._all.remove(child)
            self._homes = {host: home for host, home in self._homes.items() if home is not child}
            if status != 0 and child.lost is None:
                log.error("crawl_child_ended", pid=child.process.pid, status=status)
            lost = child.lost or child.lose(f"worker child ended by itself: {_cause(status)}")
            for awaited in child.waiting.values():
                if not awaited.report.done():
                    awaited.report.set_exception(lost)

    def _heed(self, child: Child, raw: bytes) -> None:
        match read(raw):
            case Tick() as tick:
                child.ticked_at, child.rss = time.monotonic(), tick.rss
                child.stuck_seconds = tick.stuck_seconds
                if tick.stuck_seconds > self._settings.tick_timeout_seconds:
                    child.kill(
                        f"parsing a page took longer than {tick.stuck_seconds:.0f} s",
                        culprit=tick.stuck,
                    )
            case Parsing() as one:
                (child.parsing.discard if one.is_over else child.parsing.add)(one.source_id)
            case Report() as report:
                awaited = child.waiting.get(report.job)
                if awaited is not None and not awaited.report.done():
                    awaited.report.set_result(report)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for child in list(self._all):
                self._check(child)
            try:
                await self._keep_seats()
            except OSError as error:
                # No memory or no file for a new one just now: the others are watched all the same.
                log.error("crawl_child_cannot_start", reason=f"{type(error).__name__}: {error}")

    async def _keep_seats(self) -> None:
        """Replace what is lost, and already what is suspect, so that a warm child takes over."""
        async with self._starting:
            seats = self._seats()
            wanted = self._settings.children + any(self._is_suspect(child) for child in seats)
            rested = time.monotonic() - self._last_start
            if len(seats) < wanted and rested > _RESTART_SECONDS:
                await self._start()
            idle = [child for child in seats if not child.load]
            if len(seats) > wanted and idle and idle[0].process.stdin is not None:
                idle[0].is_retiring = True
                idle[0].process.stdin.close()

    def _is_suspect(self, child: Child) -> bool:
        half = self._settings.tick_timeout_seconds / 2
        if child.ticked_at is None:
            return False
        return time.monotonic() - child.ticked_at > half or child.stuck_seconds > half

    def _check(self, child: Child) -> None:
        silent = time.monotonic() - (child.ticked_at or child.started_at)
        patience = self._settings.tick_timeout_seconds
        if child.ticked_at is None:
            patience = max(patience, _START_SECONDS)
        limit = self._settings.child_memory_mib * _MIB
        late = self._late(child)
        if silent > patience:
            child.kill(f"no sign of life for {silent:.0f} s")
        elif late is not None:
            seconds = self._settings.run_timeout_seconds
            reason = f"a run took longer than {seconds:g} s and could not be stopped"
            child.kill(reason, culprit=late.source_id)
        elif child.rss > 2 * limit:
            child.kill(f"it held {child.rss // _MIB} MiB of memory")
        elif child.rss > limit and not child.is_retiring:
            log.warning("crawl_child_retires", pid=child.process.pid, rss_mib=child.rss // _MIB)
            child.is_retiring = True
        elif child.rss > limit and not child.load and child.process.stdin is not None:
            child.process.stdin.close()

    def _late(self, child: Child) -> Awaited | None:
        """A crawl that the child should have reported on long ago."""
        begun_before = time.monotonic() - self._settings.run_timeout_seconds - _LATE_SECONDS
        late = (one for one in child.waiting.values() if one.since < begun_before)
        return next(late, None)


def _cause(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
