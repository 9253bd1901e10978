"""The scheduler: one leader turns due times in the source rows into crawl jobs.

APScheduler holds one timer a source in memory; the rows are the truth and are read again every
second, so a standby that takes over knows all that the leader knew.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database import Urls, owner_engine
from core.settings import Settings
from crawlers.due import defer_due, due_times
from crawlers.leader import Leadership

log = structlog.get_logger()
T = TypeVar("T")
POLL_SECONDS = 1.0
_LOCK_SECONDS = 0.5
_LAST_DEFER_SECONDS = 3.0


def run_scheduler(settings: Settings, urls: Urls) -> None:  # noqa: ARG001 - as all processes
    """Lead, or stand by, until SIGTERM or SIGINT."""
    asyncio.run(_until_signal(urls))


async def _until_signal(urls: Urls) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await schedule(urls, stop=stop)


async def schedule(urls: Urls, *, stop: asyncio.Event) -> None:
    """Stand by until we lead; lead until the lock is lost; until ``stop`` is set."""
    engine = owner_engine(urls.owner, pool_size=4)
    leadership = Leadership(urls.owner)
    timers: Timers | None = None
    try:
        while not stop.is_set():
            leads = await leadership.hold()
            if leads and timers is None:
                timers = Timers(engine)
            elif not leads and timers is not None:
                await timers.stop()
                timers = None
            if timers is not None:
                await timers.refresh()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS if leads else _LOCK_SECONDS)
    finally:
        if timers is not None:
            await timers.stop()
        await leadership.release()
        engine.dispose()


class Timers:
    """A timer for each enabled source, while we lead."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._due: dict[int, datetime] = {}
        self._deferring: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.start()

    async def refresh(self) -> None:
        """Follow what the rows say now; a database that is away changes nothing."""
        try:
            wanted = await self._write(due_times)
        except SQLAlchemyError as error:
            log.warning("schedule_unreadable", error=type(error).__name__)
            return
        for source_id in self._due.keys() - wanted.keys():
            self._forget(source_id)
        for source_id, due in wanted.items():
            if self._due.get(source_id) != due:
                self._set(source_id, due)

    async def stop(self) -> None:
        """Fire no more; what is being deferred just now is finished first."""
        self._scheduler.pause()
        await asyncio.sleep(0)  # a timer that has just gone off becomes a task of ours
        if self._deferring:
            await asyncio.wait(self._deferring, timeout=_LAST_DEFER_SECONDS)
        self._scheduler.shutdown(wait=False)

    def _set(self, source_id: int, due: datetime) -> None:
        self._due[source_id] = due
        self._scheduler.add_job(
            self._fire,
            "date",
            run_date=max(due, datetime.now(UTC)),
            args=[source_id],
            id=str(source_id),
            replace_existing=True,
        )

    def _forget(self, source_id: int) -> None:
        del self._due[source_id]
        if self._scheduler.get_job(str(source_id)) is not None:
            self._scheduler.remove_job(str(source_id))

    async def _fire(self, source_id: int) -> None:
        # A task of our own: APScheduler cancels its jobs at shutdown, also in mid-flight.
        task = asyncio.create_task(self._defer(source_id))
        self._deferring.add(task)
        task.add_done_callback(self._deferring.discard)
        await asyncio.shield(task)

    async def _defer(self, source_id: int) -> None:
        now = datetime.now(UTC)
        try:
            due = await self._write(lambda session: defer_due(session, source_id, now=now))
        except SQLAlchemyError as error:
            log.warning("defer_failed", source_id=source_id, error=type(error).__name__)
            # The row still says that it is due: the next look at the rows sets the timer again.
            self._due.pop(source_id, None)
            return
        if due is None:
            self._due.pop(source_id, None)
        else:
            self._set(source_id, due)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._write_now, work)

    def _write_now(self, work: Callable[[Session], T]) -> T:
        with Session(self._engine) as session, session.begin():
            return work(session)
