"""Source rows are the truth of the schedule; one leads, another takes over."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update
from sqlalchemy.orm import Session

from core.database import Urls
from core.models import Source
from core.queue import Queue, defer_crawl
from crawlers.due import defer_due, due_times
from crawlers.leader import Leadership
from crawlers.scheduler import Timers, schedule
from crawlers.stalled import sweep
from pipeline.housekeeping import retry_stalled
from tests.crawlers.working import jobs, source_row, wait_for
from tests.factories import add_source

ROOT = Path(__file__).parents[2]
SCHEDULER = """
import sys
from core.database import Urls
from core.settings import Settings
from crawlers.scheduler import run_scheduler
run_scheduler(Settings(), Urls(owner=sys.argv[1], app=sys.argv[1]))
"""


def _source(engine: Engine, **given: object) -> int:
    with Session(engine) as session, session.begin():
        return add_source(session, **given).id


def _set(engine: Engine, source_id: int, **values: object) -> None:
    with Session(engine) as session, session.begin():
        session.execute(update(Source).where(Source.id == source_id).values(**values))


def _is_waiting(engine: Engine, source_id: int) -> bool:
    with engine.connect() as connection:
        found = connection.scalar(
            text("SELECT count(*) FROM queue.procrastinate_jobs WHERE queueing_lock = :lock"),
            {"lock": f"crawl-{source_id}"},
        )
    return found == 1


@asynccontextmanager
async def _scheduling(database_url: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    urls = Urls(owner=database_url, app=database_url)
    running = asyncio.create_task(schedule(urls, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 5)


@contextmanager
def _scheduler(database_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SCHEDULER, database_url], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _until(condition: object, *, seconds: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def test_a_due_source_is_deferred_and_moved_on_in_one_transaction(
    session: Session, now: datetime
) -> None:
    source = add_source(session, next_due_at=now, interval_seconds=60, failures=2)
    due = defer_due(session, source.id, now=now, chance=0.0)
    assert due == source.next_due_at == now + timedelta(seconds=240)
    waiting = text("SELECT args FROM queue.procrastinate_jobs WHERE queue_name = 'crawl'")
    assert session.scalars(waiting).all() == [{"source_id": source.id, "trigger": "schedule"}]


def test_the_row_decides_whether_a_source_is_still_due(session: Session, now: datetime) -> None:
    later = now + timedelta(seconds=1)
    moved = add_source(session, next_due_at=later)
    disabled = add_source(session, is_enabled=False)
    assert defer_due(session, moved.id, now=now) == later
    assert defer_due(session, disabled.id, now=now) is None
    assert defer_due(session, 10**9, now=now) is None
    assert session.scalar(text("SELECT count(*) FROM queue.procrastinate_jobs")) == 0


def test_a_crawl_that_waits_already_is_not_asked_for_again(session: Session, now: datetime) -> None:
    source = add_source(session)
    defer_crawl(session, source.id, trigger="api")
    assert defer_due(session, source.id, now=now) is not None
    assert session.scalar(text("SELECT count(*) FROM queue.procrastinate_jobs")) == 1


def test_disabled_sources_have_no_due_time(session: Session, now: datetime) -> None:
    due = add_source(session, next_due_at=now)
    add_source(session, is_enabled=False)
    assert due_times(session) == {due.id: now}


async def test_new_changed_and_disabled_rows_are_followed(
    engine: Engine, database_url: str
) -> None:
    off = _source(engine, is_enabled=False)
    far = _source(engine, next_due_at=datetime.now(UTC) + timedelta(hours=1))
    overdue = _source(engine, next_due_at=datetime.now(UTC) - timedelta(days=3))
    async with _scheduling(database_url):
        await _until(lambda: _is_waiting(engine, overdue))
        new = _source(engine)
        await _until(lambda: _is_waiting(engine, new))
        assert not _is_waiting(engine, off)
        assert not _is_waiting(engine, far)
        soon = datetime.now(UTC) + timedelta(seconds=1.5)
        _set(engine, far, next_due_at=soon)
        await _until(lambda: _is_waiting(engine, far))
        assert datetime.now(UTC) >= soon
        _set(engine, off, is_enabled=True)
        await _until(lambda: _is_waiting(engine, off))
    # Days late, and still asked for once; its next time counts from now.
    assert jobs(engine) == {"todo": 4}
    due = source_row(engine, overdue).next_due_at
    assert due is not None
    assert due > datetime.now(UTC) + timedelta(minutes=10)


async def test_a_source_comes_again_with_its_interval(engine: Engine, database_url: str) -> None:
    often, seldom = (_source(engine, interval_seconds=seconds) for seconds in (1, 3_600))
    came = []
    async with _scheduling(database_url):
        await _until(lambda: _is_waiting(engine, often) and _is_waiting(engine, seldom))
        for _ in range(3):
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM queue.procrastinate_jobs"))
            await _until(lambda: _is_waiting(engine, often))
            came.append(_is_waiting(engine, seldom))
    assert came == [False] * 3


async def test_a_thousand_sources_load_fast_and_each_is_asked_for_once(
    engine: Engine, database_url: str
) -> None:
    with Session(engine) as session, session.begin():
        add_source(session, next_due_at=datetime.now(UTC))
        session.execute(
            text(
                "INSERT INTO source (slug, kind, params, interval_seconds, next_due_at)"
                " SELECT 'many-' || n, 'feed', '{}', 900,"
                " CASE WHEN n <= 100 THEN now() ELSE now() + interval '1 h' END"
                " FROM generate_series(2, 1000) n"
            )
        )
    timers = Timers(engine)
    began = time.monotonic()
    await timers.refresh()
    assert time.monotonic() - began < 2
    await _until(lambda: jobs(engine) == {"todo": 100}, seconds=30)
    await timers.refresh()
    await timers.stop()
    assert jobs(engine) == {"todo": 100}


async def test_stopping_does_not_cut_a_defer_in_flight(engine: Engine, database_url: str) -> None:
    source = _source(engine)
    timers = Timers(engine)
    with engine.begin() as holder:
        holder.execute(text("SELECT FROM source WHERE id = :id FOR UPDATE"), {"id": source})
        await timers.refresh()
        await _until(lambda: _waits_for_a_lock(engine))
        stopping = asyncio.create_task(timers.stop())
        await asyncio.sleep(0.2)
        assert not stopping.done()
    await stopping
    assert _is_waiting(engine, source)


def _waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as connection:
        found = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )
    return bool(found)


async def test_one_leads_and_a_lost_connection_ends_it(engine: Engine, database_url: str) -> None:
    first, second = Leadership(database_url), Leadership(database_url)
    assert await first.hold()
    assert not await second.hold()
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    assert not await first.hold()
    assert await second.hold()
    assert not await first.hold()
    await second.release()
    assert await first.hold()
    await first.release()


async def test_a_leader_keeps_neither_housekeeper_nor_sweeper_out(
    engine: Engine, database_url: str
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO queue.procrastinate_jobs (queue_name, task_name, status)"
                " VALUES ('judge', 'judge_posts', 'doing'), ('crawl', 'crawl_source', 'doing')"
            )
        )
    leader = Leadership(database_url)
    assert await leader.hold()
    try:
        assert retry_stalled(engine, [Queue.JUDGE]) == 1
        with Session(engine) as session, session.begin():
            assert sweep(session).retried == 1
    finally:
        await leader.release()


async def test_an_unreachable_server_is_no_leadership() -> None:
    nobody = Leadership("postgresql://nobody@127.0.0.1:9/nothing")
    assert not await nobody.hold()


def test_a_standby_takes_over_from_a_killed_leader_and_sigterm_ends_it(
    engine: Engine, database_url: str
) -> None:
    with _scheduler(database_url) as leader:
        early = _source(engine)
        wait_for(lambda: _is_waiting(engine, early), seconds=20)
        with _scheduler(database_url) as standby:
            time.sleep(2)
            assert standby.poll() is None
            leader.kill()
            leader.wait()
            late = _source(engine)
            assert wait_for(lambda: _is_waiting(engine, late), seconds=10) < 8
            standby.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert standby.wait(timeout=5) == 0
            assert time.monotonic() - began < 4
    assert jobs(engine) == {"todo": 2}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_scheduler(
    number: signal.Signals, engine: Engine, database_url: str
) -> None:
    with _scheduler(database_url) as process:
        source = _source(engine)
        wait_for(lambda: _is_waiting(engine, source), seconds=20)
        process.send_signal(number)
        assert process.wait(timeout=5) == 0
