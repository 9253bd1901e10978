"""What the database does to a run: it refuses a page, is short of connections, loses the source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from core.address import AddressGuard
from core.database import owner_engine
from core.models import CrawlRun, Source
from core.settings import CrawlSection
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.office import Office
from crawlers.engine.turns import Turns
from tests.crawlers.conftest import Crawler, start_child, stop_child
from tests.crawlers.site import Asked, Site, page, posts, serving, status
from tests.databases import Databases


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """A database that a test may harm."""
    with databases.lent() as url:
        yield url


@contextmanager
def _crawling(url: str, site: Site, log: Path) -> Iterator[Crawler]:
    """A child whose log is kept."""
    engine = owner_engine(url)
    with log.open("wb") as log_to:
        process = start_child(url, allowed_addresses=[site.address], log_to=log_to)
        try:
            yield Crawler(engine, process)
        finally:
            ended = stop_child(process)
            engine.dispose()
        assert ended == 0


_REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'that does not fit' USING ERRCODE = 'data_exception';
END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON source
FOR EACH ROW WHEN (NEW.resume::text LIKE '%whisper%') EXECUTE FUNCTION refuse();
"""


def test_a_page_that_the_database_refuses_ends_the_run_in_words(url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving() as site, _crawling(url, site, log) as crawler:
        with crawler.engine.begin() as connection:
            connection.execute(text(_REFUSING))
        site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/whisper"))
        source = crawler.source(f"{site.url}/1")
        run = crawler.crawl(source)
        assert run.outcome == "error"
        assert run.reason == (
            f"the page could not be kept: DataError: that does not fit ({site.url}/1)"
        )
        (letter,) = crawler.dead_letters(source)
        assert letter.url == f"{site.url}/1"
        assert crawler.row(source).failures == 1
        site.pages["/1"] = page(posts(("a", "text")))
        assert crawler.crawl(source).outcome == "ok"
    said = log.read_text()
    assert "crawl_broke" in said
    assert "Traceback" in said
    assert "whisper" not in said


@pytest.mark.parametrize("left", ["a post", "a problem", "nothing", "an error", "no answer"])
def test_a_source_that_is_deleted_during_its_run_ends_it_quietly(
    left: str, url: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with serving() as site, _crawling(url, site, log) as crawler:
        source = crawler.source(f"{site.url}/1")
        answers = {
            "a post": page(posts(("b", "more"))),
            "a problem": page('{"posts": [{"id": "b"}], "next": null}'),
            "nothing": page(posts()),
            "an error": status("400 Bad Request"),
            "no answer": lambda asked: asked.connection.close(),
        }

        def deletes(asked: Asked) -> None:
            with Session(crawler.engine) as session, session.begin():
                session.execute(delete(Source).where(Source.id == source))
            answers[left](asked)

        site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/2"))
        site.pages["/2"] = deletes
        crawler.send(source)
        report = crawler.heard()
        assert not report.error
        with Session(crawler.engine) as session:
            assert session.get(Source, source) is None
            assert not session.scalars(select(CrawlRun)).all()
        if left in ("a post", "a problem"):
            assert report.outcome == "gone"
    assert log.read_text() == ""


async def test_a_pool_without_a_free_connection_is_waited_for(url: str) -> None:
    engine = owner_engine(url, pool_size=1)
    engine.pool._timeout = 0.2  # type: ignore[attr-defined]
    engine.pool._max_overflow = 0  # type: ignore[attr-defined]
    held = engine.connect()
    threading.Timer(0.6, held.close).start()
    began = time.monotonic()
    assert await _office(engine).write(lambda session: session.scalar(text("SELECT 1"))) == 1
    assert time.monotonic() - began > 0.5
    engine.dispose()


def _office(engine: object) -> Office:
    guard = AddressGuard()

    def now() -> datetime:
        return datetime.now(UTC)

    return Office(
        engine=engine,  # type: ignore[arg-type]
        spiders={},
        settings=CrawlSection(),
        guard=guard,
        look_up=GuardedLookUp(guard),
        turns=Turns(delay_seconds=0, clock=now),
        clock=now,
        threads=ThreadPoolExecutor(1),
        tell_parsing=lambda *_: None,
    )
