"""What all crawls of one process share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

import structlog
from scrapy.exceptions import CannotResolveHostError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.address import AddressGuard
from core.errors import DatabaseError
from core.settings import CrawlSection, EvidenceSection
from crawlers.contract import Spider
from crawlers.credentials import Credentials, Tokens
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.robots import RobotsMemory
from crawlers.engine.turns import Turns
from crawlers.patience import AWAY

log = structlog.get_logger()
T = TypeVar("T")
#: A database that is away for longer than this ends the run; it goes on where it stood.
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The collaborators of a crawl."""

    engine: Engine
    spiders: Mapping[str, Spider]
    settings: CrawlSection
    guard: AddressGuard
    look_up: GuardedLookUp
    turns: Turns
    clock: Callable[[], datetime]
    threads: Executor  #: parsing and the database; the loop must go on ticking
    #: Told when a spider's code begins (False) and is over (True), in the thread that runs it.
    tell_parsing: Callable[[int, bool], None]
    credentials: Credentials = field(default_factory=dict, repr=False)
    tokens: Tokens = field(default_factory=Tokens)
    evidence: EvidenceSection = field(default_factory=EvidenceSection)
    robots: RobotsMemory = field(default_factory=RobotsMemory)
    parsing_since: dict[int, float] = field(default_factory=dict)  #: source id: monotonic

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    async def parse(self, source_id: int, work: Callable[[], T]) -> T:
        """Run a spider's code beside the loop, visible to whoever watches for hangs."""

        def watched() -> T:
            self.parsing_since[source_id] = time.monotonic()
            self.tell_parsing(source_id, False)
            try:
                return work()
            finally:
                self.tell_parsing(source_id, True)
                self.parsing_since.pop(source_id, None)

        return await self.in_thread(watched)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction, again and again while the database is away.

        A commit whose answer was lost is done twice, so ``work`` must bear that.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        wait = 0.25
        while True:
            try:
                return await self.in_thread(lambda: self._write(work))
            except AWAY as error:
                said = getattr(error, "orig", None) or error
                reason = (str(said).strip().splitlines() or ["?"])[0]
                if time.monotonic() + wait > deadline:
                    raise DatabaseError(f"the database is away: {reason}") from error
                log.warning("crawl_waits_for_database", reason=reason, wait_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)

    def _write(self, work: Callable[[Session], T]) -> T:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    def explained(self, error: BaseException, url: str) -> BaseException:
        """Name the guard where it, and not the site, is why a host had no address."""
        if not isinstance(error, CannotResolveHostError):
            return error
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return self.look_up.refusal(parts.hostname or "", port) or error
