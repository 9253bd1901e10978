"""A real crawl child on a database of its own, driven over its pipes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.models import CrawlRun, DeadLetter, PostRow, Source
from core.settings import CrawlSection, LogSection
from crawlers.catalogue import spiders
from crawlers.credentials import Credentials
from crawlers.wire import Greeting, Order, Report, Tick, greeting_line, line, read
from tests.crawlers.site import Site, serving
from tests.databases import Databases
from tests.factories import add_source

NO_CREDENTIALS: Credentials = {}
ROOT = Path(__file__).parents[2]
CHILD = (sys.executable, "-m", "tests.crawlers.plain")


@dataclass
class Crawler:
    """A child process and the database that it writes to."""

    engine: Engine
    process: subprocess.Popen[bytes]
    ticks: list[Tick] = field(default_factory=list)
    _jobs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def send(self, source_id: int) -> int:
        """Ask for a crawl; return its job."""
        job = next(self._jobs)
        assert self.process.stdin is not None
        self.process.stdin.write(line(Order(job=job, source_id=source_id)))
        self.process.stdin.flush()
        return job

    def heard(self) -> Report:
        """The next report."""
        assert self.process.stdout is not None
        while raw := self.process.stdout.readline():
            message = read(raw)
            if isinstance(message, Report):
                return message
            if isinstance(message, Tick):
                self.ticks.append(message)
        raise AssertionError("the child is gone")

    def source(self, url: str, *, kind: str = "plain", **given: Any) -> int:
        """A plain source; more values of its row as wanted."""
        params = {"url": url} | given.pop("params", {})
        with Session(self.engine) as session, session.begin():
            return add_source(session, kind=kind, params=params, **given).id

    def crawl(self, source_id: int) -> CrawlRun:
        """Crawl once, and read what was written about it."""
        self.send(source_id)
        report = self.heard()
        assert not report.error, report
        return self.last_run(source_id)

    def last_run(self, source_id: int) -> CrawlRun:
        with Session(self.engine) as session:
            newest = select(CrawlRun).where(CrawlRun.source_id == source_id)
            return session.scalars(newest.order_by(CrawlRun.id.desc()).limit(1)).one()

    def row(self, source_id: int) -> Source:
        with Session(self.engine) as session:
            return session.get_one(Source, source_id)

    def texts(self, source_id: int) -> list[str]:
        """What is kept of a source, in the order of its ids."""
        with Session(self.engine) as session:
            mine = select(PostRow.text).where(PostRow.source_id == source_id)
            return list(session.scalars(mine.order_by(PostRow.external_id)))

    def dead_letters(self, source_id: int) -> list[DeadLetter]:
        with Session(self.engine) as session:
            return list(
                session.scalars(select(DeadLetter).where(DeadLetter.source_id == source_id))
            )


def start_child(
    database_url: str,
    *,
    credentials: Credentials = NO_CREDENTIALS,
    log_to: IO[bytes] | None = None,
    command: Sequence[str] = CHILD,
    **crawl: Any,
) -> subprocess.Popen[bytes]:
    """A child that knows the plain spider, greeted."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log_to,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        },
    )
    defaults: dict[str, Any] = {
        "delay_seconds": 0.0,
        "longest_delay_seconds": 0.0,
        "timeout_seconds": 2.0,
        "max_body_bytes": 1_000_000,
        "opted_in": [kind for kind, spider in spiders().items() if spider.needs_opt_in],
    }
    greeting = Greeting(
        database_url=database_url,
        crawl=CrawlSection(**(defaults | crawl)),
        log=LogSection(level="warning"),
        credentials=credentials,
    )
    assert process.stdin is not None
    process.stdin.write(greeting_line(greeting))
    process.stdin.flush()
    return process


def stop_child(process: subprocess.Popen[bytes]) -> int:
    """End of input, and the status that it ends with."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        return process.wait(timeout=5)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def child(engine: Engine, url: str, *sites: Site, **crawl: Any) -> Iterator[Crawler]:
    """A child that may reach these sites and nothing else on loopback."""
    allowed = [f"{host}:{site.port}" for site in sites for host in ("127.0.0.1", "localhost")]
    process = start_child(url, allowed_addresses=allowed, **crawl)
    yield Crawler(engine, process)
    assert stop_child(process) == 0


@pytest.fixture(scope="session")
def _sites(request: pytest.FixtureRequest) -> Iterator[list[Site]]:
    """One site for all tests, and one more for each test that asks for a new one.

    The child is told which addresses it may reach when it starts, so they are all open by then;
    any number of the tests may come to this process.
    """
    new = sum("new_site" in getattr(item, "fixturenames", ()) for item in request.session.items)
    with ExitStack() as open_sites:
        yield [open_sites.enter_context(serving()) for _ in range(1 + new)]


@pytest.fixture(scope="session")
def _fresh(_sites: list[Site]) -> Iterator[Site]:
    return iter(_sites[1:])


@pytest.fixture(scope="session")
def _crawler(databases: Databases, _sites: list[Site]) -> Iterator[Crawler]:
    """One child for all tests of the engine, as it is one for all sources of an installation."""
    with databases.lent() as url:
        engine = owner_engine(url)
        with child(engine, url, *_sites, max_pages_per_run=4) as crawler:
            yield crawler
        engine.dispose()


@pytest.fixture
def crawler(_crawler: Crawler) -> Crawler:
    """A child that may reach the sites of the tests and nothing else on loopback."""
    assert _crawler.process.poll() is None
    return _crawler


@pytest.fixture
def site(_sites: list[Site]) -> Site:
    """A site without robots.txt that the crawler may reach although it is on loopback."""
    site = _sites[0]
    site.pages.clear()
    site.asked.clear()
    return site


@pytest.fixture
def new_site(_fresh: Iterator[Site]) -> Site:
    """A site whose robots.txt the crawler has not asked for yet."""
    return next(_fresh)


@pytest.fixture
def canary() -> Iterator[Site]:
    """A site on loopback that the crawler must never reach."""
    with serving() as site:
        yield site
        assert site.connections == 0
