"""What a crawl worker survives, at full length: hangs, deaths, poison, a database that is away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.migrate import upgrade
from core.models import PostRow
from core.postgres import postmaster
from core.postgres.cluster import running
from core.postgres.layout import Layout
from tests.crawlers import site as bad
from tests.crawlers.site import Asked, Site, page, posts, serving
from tests.crawlers.working import ask, jobs, runs, source_row, start, wait_for, working

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _outcomes(engine: Engine, source: int) -> list[str]:
    return [run.outcome for run in runs(engine, source)]


def _may_reach(site: Site) -> list[str]:
    return [f"127.0.0.1:{site.port}", f"localhost:{site.port}"]


@pytest.mark.parametrize("way", ["thread", "die"])
def test_a_crawl_that_hangs_or_kills_its_child_is_done_by_another(
    way: str, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    with serving() as site, working(database_url, allowed_addresses=_may_reach(site)):
        site.pages["/harmless"] = page(posts(("a", "first"), following=f"{site.url}/2"))
        site.pages["/2"] = page(posts(("b", "second")))
        source = ask(
            engine,
            f"{site.url}/harmless",
            hang=way,
            hang_only_once=str(tmp_path / "hung"),
        )
        wait_for(lambda: _outcomes(engine, source) == ["error", "ok"], seconds=40)
        lost, whole = runs(engine, source)
        assert "worker child" in (lost.reason or "")
        # It went on from the second page: the first was committed.
        assert (lost.pages, whole.pages) == (1, 1)
        assert site.paths() == ["/harmless", "/2", "/2"]
        assert source_row(engine, source).resume is None
        wait_for(lambda: jobs(engine) == {})


def test_a_source_that_kills_its_child_each_time_is_given_up_and_spares_its_neighbours(
    engine: Engine, database_url: str
) -> None:
    def slowly(asked: Asked) -> None:
        time.sleep(0.5)
        asked.answer(body=posts(("a", "text")))

    with serving() as site, working(database_url, allowed_addresses=_may_reach(site)):
        site.pages["/poison"] = page(posts(("p", "text")))
        site.pages["/good"] = slowly
        poison = ask(engine, f"{site.url}/poison", hang="die")
        good = [ask(engine, f"http://localhost:{site.port}/good?{n}") for n in range(4)]
        wait_for(lambda: len(runs(engine, poison)) == 3 and not jobs(engine), seconds=60)
        assert _outcomes(engine, poison) == ["error"] * 3
        assert "given up after 3 attempts" in (runs(engine, poison)[-1].reason or "")
        row = source_row(engine, poison)
        assert (row.failures, row.last_outcome, row.resume) == (1, "error", None)
        assert row.next_due_at is not None
        for source in good:
            assert _outcomes(engine, source)[-1] == "ok"
            assert source_row(engine, source).failures == 0


def test_a_worker_resumes_what_a_killed_one_left(engine: Engine, database_url: str) -> None:
    with serving() as site:
        site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
        site.pages["/2"] = bad.drips
        reach = _may_reach(site)
        first = start(database_url, allowed_addresses=reach)
        source = ask(engine, f"{site.url}/1")
        wait_for(lambda: "/2" in site.paths())
        first.kill()
        first.wait()
        _silence_workers(engine)
        site.pages["/2"] = page(posts(("b", "second")))
        with working(database_url, allowed_addresses=reach):
            wait_for(lambda: _outcomes(engine, source) == ["error", "ok"])
        assert site.paths() == ["/1", "/2", "/2"]
        assert "process that ran it died" in (runs(engine, source)[0].reason or "")


def _silence_workers(engine: Engine) -> None:
    """Let half a minute pass for the queue."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE queue.procrastinate_workers"
                " SET last_heartbeat = last_heartbeat - interval '30 s'"
            )
        )


def test_a_restart_of_the_database_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving() as site, running(data, options={"fsync": "off"}) as server:
        engine = owner_engine(server.url)
        upgrade(engine)
        pages = 12
        for number in range(pages):
            following = f"{site.url}/{number + 1}" if number + 1 < pages else None
            site.pages[f"/{number}"] = _slow_page(
                posts((f"p{number:02}", "x"), following=following)
            )
        with working(server.url, allowed_addresses=_may_reach(site)) as worker:
            source = ask(engine, f"{site.url}/0")
            wait_for(lambda: "/3" in site.paths())
            postmaster.stop(Layout.of(data))
            time.sleep(2)
            with running(data, options={"fsync": "off"}) as again:
                assert again.url == server.url
                wait_for(lambda: _outcome_when_back(engine, source) == "ok", seconds=60)
                assert _kept(engine) == [f"p{number:02}" for number in range(pages)]
                wait_for(lambda: not jobs(engine), seconds=10)
                assert worker.poll() is None
                later = ask(engine, f"{site.url}/0")
                wait_for(lambda: _outcomes(engine, later) == ["ok"], seconds=30)
        engine.dispose()


def _slow_page(body: str) -> bad.Answer:
    def answer(asked: Asked) -> None:
        time.sleep(0.3)
        asked.answer(body=body)

    return answer


def _outcome_when_back(engine: Engine, source: int) -> str:
    try:
        return (_outcomes(engine, source) or [""])[-1]
    except OperationalError:
        return "away"


def _kept(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return list(session.scalars(select(PostRow.external_id).order_by(PostRow.external_id)))
