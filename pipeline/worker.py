"""The process that judges and delivers: jobs of two queues, housekeeping, and a clean end."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.address import AddressGuard
from core.database import Urls, owner_engine
from core.http import guarded_client
from core.queue import Queue, Task, worker_app
from core.settings import Settings
from core.stalled import HEARTBEAT_SECONDS
from core.types import ReceiverKind, Severity
from pipeline.channels.channel import Channel
from pipeline.channels.email import EmailChannel
from pipeline.channels.log import tell_log
from pipeline.channels.webhook import WebhookChannel
from pipeline.deliver import Mailroom
from pipeline.dispatcher import Dispatcher
from pipeline.housekeeping import (
    delete_old_crawls,
    delete_old_engagement,
    delete_old_evidence,
    delete_old_hours,
    delete_old_jobs,
    judge_forgotten,
    retry_stalled,
    tell_of_silence,
)
from pipeline.jobs import JudgeJob
from pipeline.rejudge_job import RejudgeJob
from pipeline.rematch import RematchJob
from sentiment.judge import Judge
from sentiment.load import open_judge

log = structlog.get_logger()

_CONCURRENCY = {Queue.JUDGE: 2, Queue.DELIVER: 4}
#: A new job wakes a worker at once; one that was put off is seen by this look.
_POLL_SECONDS = 1.0
_GRACE_SECONDS = 3.0
#: After this the process ends whatever hangs: leases and stalled jobs bring the work back.
_LAST_SECONDS = 4.5
_LONGEST_PAUSE = 5.0
_LARGEST_ANSWER = 65_536
_LOST = (ProcrastinateException, psycopg.Error, SQLAlchemyError, OSError)


def run_worker(settings: Settings, urls: Urls, *, queues: Sequence[Queue]) -> None:
    """Work on the queues until SIGTERM or SIGINT; outlives restarts of the database."""
    if not {Queue.JUDGE, Queue.REJUDGE}.isdisjoint(queues):
        # Read now, whole: an unknown model is an error at the start, and no first post waits.
        _open_judge(settings)([""])
    if Queue.JUDGE in queues and Queue.REJUDGE not in queues:
        queues = [*queues, Queue.REJUDGE]  # whoever judges what comes has time for the past
    engine = owner_engine(urls.owner, pool_size=max(settings.database.pool_size, 8))
    dispatcher = Dispatcher(mailroom(settings, engine), batch_size=settings.delivery.batch_size)
    worker = _Worker(settings, urls, engine=engine, dispatcher=dispatcher, queues=list(queues))
    try:
        with _told_to_stop(worker.stop):
            asyncio.run(worker.run())
            if not dispatcher.close(timeout=1):
                log.warning("deliveries_left_to_their_leases")
    finally:
        engine.dispose()


def mailroom(settings: Settings, engine: Engine, *, clock: Callable[[], datetime] | None = None
) -> Mailroom:  # fmt: skip
    """What delivering needs, as the settings say it."""
    timeout = settings.delivery.timeout_seconds
    return Mailroom(
        engine=engine,
        channels=channels(settings),
        clock=clock or _now,
        base_url=settings.api.public_url or f"http://{settings.api.host}:{settings.api.port}",
        lease=timedelta(seconds=1.5 * timeout + 5),
    )


def channels(settings: Settings) -> dict[str, Channel]:
    """The channel of each kind of receiver."""
    timeout = settings.delivery.timeout_seconds
    guard = AddressGuard.opening(settings.delivery.allowed_addresses)
    # Reading the certificates takes longer than a sending: once for all clients.
    trusted = httpx.create_ssl_context(trust_env=False)

    def open_client() -> httpx.Client:
        return guarded_client(
            guard,
            timeout=timeout,
            total_seconds=timeout,
            max_body_bytes=_LARGEST_ANSWER,
            user_agent="Goodname-Webhooks/1",
            ssl_context=trusted,
        )

    return {
        ReceiverKind.LOG: tell_log,
        ReceiverKind.WEBHOOK: WebhookChannel(open_client),
        ReceiverKind.EMAIL: EmailChannel(settings.smtp, timeout=timeout),
    }


class _Worker:
    def __init__(
        self,
        settings: Settings,
        urls: Urls,
        *,
        engine: Engine,
        dispatcher: Dispatcher,
        queues: list[Queue],
    ) -> None:
        self._urls = urls
        self._engine = engine
        self._dispatcher = dispatcher
        self._queues = queues
        self._evidence_from = Severity.of(settings.evidence.from_severity)
        self._hours_kept_days = settings.coverage.keep_days
        self._judge = JudgeJob(
            engine=engine,
            open_judge=lambda: _open_judge(settings),
            clock=_now,
            evidence_from=self._evidence_from,
        )
        self._rematch = RematchJob(engine=engine)
        self._rejudge = RejudgeJob(
            engine=engine, open_judge=lambda: _open_judge(settings), clock=_now
        )
        self._longest_run = timedelta(seconds=settings.crawl.run_timeout_seconds + 900)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told_early = False

    def stop(self) -> None:
        """End soon; safe to call from a signal handler, also before ``run``."""
        self._is_told_early = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def run(self) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        if self._is_told_early:
            self._stopping.set()
        keeping = asyncio.create_task(self._keep_house())
        pause = 0.2
        log.info("worker_started", queues=[queue.value for queue in self._queues])
        while not self._stopping.is_set():
            began = self._loop.time()
            try:
                await self._serve()
            except _LOST as error:
                log.debug("worker_broke", exc_info=error)
            if self._stopping.is_set():
                break
            # Also a worker that lost its database in a side task returns without an error.
            pause = 0.2 if self._loop.time() - began > 30 else min(2 * pause, _LONGEST_PAUSE)
            log.warning("database_lost", again_in_seconds=pause)
            await self._sleep(pause)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        log.info("worker_stopped")

    async def _serve(self) -> None:
        """Run one worker a queue, so that a long judgement holds up no delivery."""
        app = worker_app(self._urls.owner, pool_size=2 * len(self._queues) + 2)
        self._register(app)
        async with app.open_async():
            running = [asyncio.create_task(self._work(app, queue)) for queue in self._queues]
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for one in running:
                one.cancel()
            ended = await asyncio.gather(*running, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _work(self, app: procrastinate.App, queue: Queue) -> None:
        await app.run_worker_async(
            queues=[queue.value],
            name=queue.value,
            concurrency=_CONCURRENCY.get(queue, 1),
            fetch_job_polling_interval=_POLL_SECONDS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            shutdown_graceful_timeout=_GRACE_SECONDS,
            install_signal_handlers=False,
            delete_jobs="successful",
        )

    def _register(self, app: procrastinate.App) -> None:
        again = procrastinate.RetryStrategy(max_attempts=10, wait=1, linear_wait=5)

        @app.task(name=Task.JUDGE.value, pass_context=True, retry=again)
        def judge(
            context: procrastinate.JobContext, post_ids: list[int], ended_before: int = 0
        ) -> None:
            # An error counts no attempt, see JudgeJob: those that are left ended with the process.
            self._judge(post_ids, ended_before=ended_before + context.job.attempts)

        @app.task(name=Task.REMATCH.value, retry=again)
        def rematch(brand_id: int, after_id: int = 0, changed_at: str | None = None) -> None:
            since = None if changed_at is None else datetime.fromisoformat(changed_at)
            self._rematch(brand_id, after_id=after_id, changed_at=since)

        @app.task(name=Task.REJUDGE.value, pass_context=True, retry=again)
        def rejudge(context: procrastinate.JobContext, /, **step: Any) -> None:
            self._rejudge(step, ended_before=context.job.attempts)

        @app.task(name=Task.DELIVER.value, retry=again)
        def deliver() -> None:
            self._dispatcher.look()

    async def _keep_house(self) -> None:
        duties: list[tuple[float, Callable[[], Any]]] = [
            (5, lambda: retry_stalled(self._engine, self._queues)),
            (600, lambda: delete_old_jobs(self._engine, now=_now())),
        ]
        if Queue.DELIVER in self._queues:
            # The outbox is the truth, and a job only a wake-up: this finds what no job told of.
            duties.append((2, self._dispatcher.look))
            duties.append((60, self._tell_of_silence))
            duties.append((3600, self._delete_old_hours))
            duties.append((3600, lambda: delete_old_crawls(self._engine, now=_now())))
            duties.append((3600, lambda: delete_old_engagement(self._engine, now=_now())))
        if Queue.JUDGE in self._queues:
            duties.append((15, lambda: judge_forgotten(self._engine, now=_now())))
            duties.append((900, self._delete_old_evidence))
        await asyncio.gather(*(self._repeat(seconds, duty) for seconds, duty in duties))

    def _tell_of_silence(self) -> None:
        tell_of_silence(self._engine, longest_run=self._longest_run, now=_now())

    def _delete_old_hours(self) -> None:
        delete_old_hours(self._engine, keep_days=self._hours_kept_days, now=_now())

    def _delete_old_evidence(self) -> None:
        delete_old_evidence(self._engine, from_severity=self._evidence_from, now=_now())

    async def _repeat(self, seconds: float, duty: Callable[[], Any]) -> None:
        while not self._stopping.is_set():
            try:
                await asyncio.to_thread(duty)
            except SQLAlchemyError as error:
                log.debug("housekeeping_put_off", reason=type(error).__name__)
            except Exception:
                log.exception("housekeeping_broke")
            await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)


def _open_judge(settings: Settings) -> Judge:
    return open_judge(settings.sentiment)


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on SIGTERM and SIGINT, and end the process when that takes too long."""

    last = threading.Timer(_LAST_SECONDS, _end_now)
    last.daemon = True

    def on_signal(*_: object) -> None:
        if not last.ident:
            last.start()
        stop()

    before = {one: signal.signal(one, on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        last.cancel()
        for one, handler in before.items():
            signal.signal(one, handler)


def _end_now() -> None:
    log.warning("worker_ended_by_force")
    os._exit(0)


def _now() -> datetime:
    return datetime.now(UTC)
