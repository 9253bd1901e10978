"""What must be written waits for a database that is away, and comes back with it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.models import CrawlRun
from crawlers.lost import note_lost_run
from crawlers.patience import patiently
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
