"""The crawl worker: takes crawl jobs from the queue and has its children do them.

It imports neither Scrapy nor Twisted; only its children do.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import procrastinate
import psycopg
import psycopg_pool
import structlog
from procrastinate import JobContext
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database import Urls, owner_engine
from core.models import Source
from core.queue import Queue, Task, worker_app
from core.settings import Settings
from crawlers import children as offspring
from crawlers.catalogue import spiders, with_own_sites
from crawlers.children import ChildLostError, Children
from crawlers.contract import Spider
from crawlers.credentials import revealed
from crawlers.hosts import host_of
from crawlers.lost import give_up, hand_back, note_lost_run
from crawlers.patience import patiently
from crawlers.stalled import HEARTBEAT_SECONDS, sweep
from crawlers.wire import Greeting

log = structlog.get_logger()
T = TypeVar("T")

#: A source that loses its child so often in a row is not tried again before its next due time.
ATTEMPTS = 3
#: Losses for which others are to blame are many only when something else is very wrong.
_MOST_LOSSES = 20
_SWEEP_SECONDS = 5.0
_POLL_SECONDS = 1.0
_GRACE_SECONDS = 0.5
_LONGEST_WAIT = 5.0
_HAND_BACK_SECONDS = 1.5
#: A job that failed for want of a database would not come back before the source's next due time.
_PATIENCE_SECONDS = 600.0
_DATABASE_AWAY = (
    ProcrastinateException,
    SQLAlchemyError,
    psycopg.Error,
    psycopg_pool.PoolTimeout,
    OSError,
)


def run_crawl_worker(settings: Settings, urls: Urls) -> None:
    """Crawl until SIGTERM or SIGINT, also across restarts of the database."""
    asyncio.run(_until_signal(settings, urls))


async def _until_signal(settings: Settings, urls: Urls) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(settings, urls, stop=stop)


async def work(
    settings: Settings,
    urls: Urls,
    *,
    stop: asyncio.Event,
    command: Sequence[str] = offspring.COMMAND,
) -> None:
    """Crawl until ``stop`` is set; ``command`` starts a child."""
    greeting = Greeting(
        database_url=urls.owner,
        crawl=settings.crawl,
        log=settings.log,
        credentials=revealed(settings.credentials),
        evidence=settings.evidence,
    )
    engine = owner_engine(urls.owner, pool_size=2)
    try:
        async with Children(greeting, settings.crawl, command=command) as children:
            worker = _Worker(engine, children, settings=settings, urls=urls)
            sweeping = asyncio.create_task(worker.sweep_for_ever())
            try:
                await worker.serve(stop)
            finally:
                sweeping.cancel()
                with suppress(asyncio.CancelledError):
                    await sweeping
    finally:
        engine.dispose()


class _Worker:
    def __init__(
        self, engine: Engine, children: Children, *, settings: Settings, urls: Urls
    ) -> None:
        self._engine, self._children = engine, children
        self._settings, self._urls = settings, urls
        self._mine: set[int] = set()  #: ids under which this process served the queue before

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve the queue; start again whenever the database was away."""
        wait = 0.25
        while not stop.is_set():
            try:
                await _until(stop, self._serve_once())
                wait = 0.25
            except _DATABASE_AWAY as error:
                log.warning("crawl_worker_lost_database", error=_first_line(error))
            await _until(stop, asyncio.sleep(wait))
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _serve_once(self) -> None:
        app = worker_app(self._urls.owner, pool_size=3)
        app.task(name=Task.CRAWL.value, queue=Queue.CRAWL.value, pass_context=True)(self._job)
        await self._write(lambda session: sweep(session, dead=self._mine))
        self._mine.clear()
        async with app.open_async():
            await self._run(app)

    async def _run(self, app: procrastinate.App) -> None:
        await app.run_worker_async(
            queues=[Queue.CRAWL.value],
            concurrency=self._settings.crawl.children * self._settings.crawl.crawls_per_child,
            install_signal_handlers=False,
            fetch_job_polling_interval=_POLL_SECONDS,
            shutdown_graceful_timeout=_GRACE_SECONDS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            # crawl_run tells the history; the queue holds what is to be done.
            delete_jobs="successful",
        )

    async def _job(self, context: JobContext, source_id: int, trigger: str) -> None:
        if context.job.worker_id is not None:
            self._mine.add(context.job.worker_id)
        try:
            await self._crawl(source_id)
        except asyncio.CancelledError:
            await self._hand_back(source_id, trigger)

    async def _crawl(self, source_id: int) -> None:
        """Try until a child lives to tell; a suspect is tried again in a child of its own."""
        blamed, host = 0, await self._host_of(source_id)
        for loss in range(1, _MOST_LOSSES + 1):
            try:
                report = await self._children.crawl(source_id, is_alone=blamed > 0, host=host)
                if not report.error:
                    return
                reason = f"the crawl broke: {report.error}"
                is_suspect = not report.is_database_away
            except ChildLostError as lost:
                reason = str(lost)
                is_suspect = lost.had_started and lost.suspects_source(source_id)
                if not lost.had_started:
                    log.error("crawl_child_cannot_start", source_id=source_id, reason=reason)
                    await asyncio.sleep(_LONGEST_WAIT)
            blamed += is_suspect
            is_last = blamed >= ATTEMPTS or loss == _MOST_LOSSES
            await self._note_loss(source_id, reason, attempts=loss, is_last=is_last)
            if is_last:
                return

    async def _host_of(self, source_id: int) -> str:
        """Whom a crawl talks to; also where one child is kept, for a suspect has one of its own."""
        wanted = select(Source.kind, Source.params).where(Source.id == source_id)
        found = await self._write_patiently(lambda session: session.execute(wanted).first())
        if found is None:
            return ""
        return await asyncio.to_thread(lambda: host_of(*found, spiders=self._spiders))

    @cached_property
    def _spiders(self) -> Mapping[str, Spider]:
        return with_own_sites(spiders(), self._settings.crawl.sites)

    async def _note_loss(
        self, source_id: int, reason: str, *, attempts: int, is_last: bool
    ) -> None:
        now = datetime.now(UTC)
        if not is_last:
            log.warning("crawl_lost", source_id=source_id, reason=reason)
            await self._write_patiently(
                lambda session: note_lost_run(session, source_id, reason=reason, now=now)
            )
            return
        shown = f"{reason}; given up after {attempts} attempts"
        log.error("crawl_given_up", source_id=source_id, reason=shown)
        await self._write_patiently(
            lambda session: give_up(session, source_id, reason=shown, now=now)
        )

    async def _hand_back(self, source_id: int, trigger: str) -> None:
        """Swallow the cancellation: this job ends, and a new one like it waits.

        A retry by procrastinate would fail while another job with the same queueing lock waits.
        """
        reason = "stopped with the worker; the next run goes on from where it stood"
        now = datetime.now(UTC)
        await asyncio.wait_for(
            self._write_patiently(
                lambda session: hand_back(
                    session, source_id, trigger=trigger, reason=reason, now=now
                )
            ),
            _HAND_BACK_SECONDS,
        )
        log.info("crawl_handed_back", source_id=source_id)

    async def sweep_for_ever(self) -> None:
        """Hand back the jobs of workers that died, every few seconds."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                swept = await self._write(sweep)
            except SQLAlchemyError as error:
                log.warning("crawl_sweep_failed", error=_first_line(error))
                continue
            if swept.retried or swept.dropped:
                log.warning("crawl_jobs_swept", retried=swept.retried, dropped=swept.dropped)

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await asyncio.to_thread(self._write_now, work)

    async def _write_patiently(self, work: Callable[[Session], T]) -> T:
        return await patiently(lambda: self._write_now(work), seconds=_PATIENCE_SECONDS)

    def _write_now(self, work: Callable[[Session], T]) -> T:
        with Session(self._engine) as session, session.begin():
            return work(session)


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``, cancelled as soon as ``stop`` is set."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"[:300]
