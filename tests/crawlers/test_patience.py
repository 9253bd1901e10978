"""What must be written waits for a database that is away, and comes back with it."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import structlog
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import Urls
from core.models import CrawlRun
from core.queue import defer_crawl
from core.settings import CrawlSection, Settings
from crawlers.lost import note_lost_run
from crawlers.patience import patiently
from crawlers.worker import work
from tests.crawlers.working import jobs, source_row, wait_for
from tests.factories import add_source

_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@contextmanager
def _administering(superuser_url: str) -> Iterator[Engine]:
    url = make_url(superuser_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


def _let_in(admin: Engine, name: str, *, is_open: bool) -> None:
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {is_open}'))
        if not is_open:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                ),
                {"name": name},
            )


async def test_word_of_a_lost_run_outlasts_a_database_that_is_away(
    engine: Engine, superuser_url: str
) -> None:
    with Session(engine) as session, session.begin():
        source_id = add_source(session).id
        run = CrawlRun(source_id=source_id, outcome="running", started_at=_NOW)
        session.add(run)
        session.flush()
        run_id = run.id
    loop, tries, tried_again = asyncio.get_running_loop(), itertools.count(1), asyncio.Event()

    def write() -> None:
        if next(tries) == 2:
            loop.call_soon_threadsafe(tried_again.set)
        with Session(engine) as session, session.begin():
            note_lost_run(session, source_id, reason="killed", now=_NOW)

    name = engine.url.database or ""
    with _administering(superuser_url) as admin:
        _let_in(admin, name, is_open=False)
        writing = asyncio.create_task(patiently(write, seconds=30))
        async with asyncio.timeout(20):
            await tried_again.wait()
        assert not writing.done()
        _let_in(admin, name, is_open=True)
        async with asyncio.timeout(20):
            await writing
    with Session(engine) as session:
        closed = session.get_one(CrawlRun, run_id)
        assert (closed.outcome, closed.reason) == ("error", "killed")


async def test_patience_has_an_end(engine: Engine, superuser_url: str) -> None:
    name = engine.url.database or ""
    with _administering(superuser_url) as admin:
        _let_in(admin, name, is_open=False)
        try:
            with pytest.raises(OperationalError):
                await patiently(lambda: engine.connect().close(), seconds=0.5)
        finally:
            _let_in(admin, name, is_open=True)


#: Says of its first four crawls that it lost the database, and does the fifth.
_LOSES_ITS_DATABASE = """
import json, sys
input()
print(json.dumps({"is": "tick", "rss": 1}), flush=True)
for number in range(1, 6):
    told = {"is": "report", "job": json.loads(input())["job"]}
    away = {"error": "the database is away", "is_database_away": True}
    print(json.dumps(told | (away if number < 5 else {"outcome": "ok"})), flush=True)
sys.stdin.read()
"""


async def test_a_source_is_not_blamed_for_a_database_that_was_away(
    engine: Engine, database_url: str
) -> None:
    with Session(engine) as session, session.begin():
        source_id = add_source(session).id
        defer_crawl(session, source_id, trigger="test")
    crawl = CrawlSection(tick_timeout_seconds=60)
    settings, urls = Settings(crawl=crawl), Urls(owner=database_url, app=database_url)
    command = (sys.executable, "-c", _LOSES_ITS_DATABASE)
    stop = asyncio.Event()
    with structlog.testing.capture_logs() as logs:
        worker = asyncio.create_task(work(settings, urls, stop=stop, command=command))
        await asyncio.to_thread(wait_for, lambda: jobs(engine) == {})
        stop.set()
        await worker
    assert [one["event"] for one in logs if one["event"].startswith("crawl_")] == ["crawl_lost"] * 4
    assert source_row(engine, source_id).failures == 0
