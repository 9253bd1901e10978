"""A real worker with real children: what is killed, lost or stopped goes on."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.queue import defer_crawl
from core.settings import Settings
from crawlers.child import LONGEST_SAID
from crawlers.children import Children
from crawlers.stalled import Swept, sweep
from crawlers.wire import Greeting, Report, line
from tests.crawlers import site as bad
from tests.crawlers.site import Site, page, posts, serving
from tests.crawlers.working import (
    ask,
    children,
    jobs,
    runs,
    source_row,
    wait_for,
    working,
)
from tests.factories import add_source


def _outcomes(engine: Engine, source: int) -> list[str]:
    return [run.outcome for run in runs(engine, source)]


def _may_reach(site: Site) -> list[str]:
    return [f"127.0.0.1:{site.port}", f"localhost:{site.port}"]


def test_the_worker_itself_imports_neither_scrapy_nor_a_reactor() -> None:
    code = (
        "import sys, crawlers.worker, crawlers.scheduler;"
        "print(sorted({'scrapy', 'twisted.internet', 'twisted.web'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


REAL_WORKER = """
import json, sys
from core.database import Urls
from core.settings import CrawlSection, Settings
from crawlers.worker import run_crawl_worker
url, crawl = sys.argv[1], CrawlSection(**json.loads(sys.argv[2]))
run_crawl_worker(Settings(crawl=crawl), Urls(owner=url, app=url))
"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Board</title>
<item><guid>1</guid><title>Parcel</title><description>It never came.</description></item>
</channel></rss>"""


def test_the_worker_as_shipped_crawls_a_feed_and_ends_on_ctrl_c(
    engine: Engine, database_url: str
) -> None:
    with serving() as site:
        site.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
        crawl = json.dumps({"allowed_addresses": _may_reach(site)})
        worker = subprocess.Popen([sys.executable, "-c", REAL_WORKER, database_url, crawl])
        try:
            with Session(engine) as session, session.begin():
                source = add_source(session, params={"url": f"{site.url}/feed"}).id
                defer_crawl(session, source, trigger="test")
            wait_for(lambda: _outcomes(engine, source) == ["ok"])
            worker.send_signal(signal.SIGINT)
            assert worker.wait(timeout=5) == 0
        finally:
            worker.kill()
            worker.wait()


def test_a_job_is_crawled_and_sigterm_ends_all_even_in_a_slow_download(
    engine: Engine, database_url: str
) -> None:
    with serving() as site, working(database_url, allowed_addresses=_may_reach(site)) as worker:
        site.pages["/1"] = page(posts(("a", "text")))
        done = ask(engine, f"{site.url}/1")
        wait_for(lambda: _outcomes(engine, done) == ["ok"])
        site.pages["/slow"] = bad.drips
        slow = ask(engine, f"{site.url}/slow")
        wait_for(lambda: "/slow" in site.paths())
        mine = children(worker)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=5) == 0
        assert time.monotonic() - began < 4
        assert not any(child.is_running() for child in mine)
        # What was left goes on with the next worker.
        assert jobs(engine) == {"todo": 1}
        (cut,) = runs(engine, slow)
        assert (cut.outcome, "stopped with the worker" in (cut.reason or "")) == ("error", True)
        assert source_row(engine, slow).failures == 0


def test_a_child_that_hangs_is_killed_and_its_crawl_done_by_another(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    with serving() as site, working(database_url, allowed_addresses=_may_reach(site)):
        site.pages["/harmless"] = page(posts(("a", "first"), following=f"{site.url}/2"))
        site.pages["/2"] = page(posts(("b", "second")))
        source = ask(
            engine,
            f"{site.url}/harmless",
            hang="loop",
            hang_only_once=str(tmp_path / "hung"),
        )
        wait_for(lambda: _outcomes(engine, source) == ["error", "ok"], seconds=80)
        lost, whole = runs(engine, source)
        assert "worker child" in (lost.reason or "")
        # It went on from the second page: the first was committed.
        assert (lost.pages, whole.pages) == (1, 1)
        assert site.paths() == ["/harmless", "/2", "/2"]
        assert source_row(engine, source).resume is None
        wait_for(lambda: jobs(engine) == {})


def test_children_end_with_their_parent_however_it_ends(engine: Engine, database_url: str) -> None:
    with serving() as site, working(database_url, allowed_addresses=_may_reach(site)) as worker:
        site.pages["/slow"] = bad.drips
        ask(engine, f"{site.url}/slow")
        wait_for(lambda: "/slow" in site.paths())
        mine = children(worker)
        assert mine
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        wait_for(lambda: not any(child.is_running() for child in mine), seconds=5)
        assert jobs(engine) == {"doing": 1}


@pytest.mark.parametrize("sign", ["x", "ą", "\U0001f600", "\x00"])
def test_no_report_is_longer_than_a_pipe_takes_at_once(sign: str) -> None:
    said = sign * LONGEST_SAID
    for report in (Report(job=10**9, error=said), Report(job=1, outcome="blocked", reason=said)):
        assert len(line(report)) <= select.PIPE_BUF


async def test_a_child_that_cannot_be_started_leaves_the_others_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.children._RESTART_SECONDS", 0.0)
    program = tmp_path / "child"
    program.symlink_to("/bin/sh")
    settings = Settings()
    one = settings.crawl.model_copy(update={"children": 1})
    greeting = Greeting(database_url="", crawl=one, log=settings.log)
    waits = (str(program), "-c", "cat > /dev/null")
    async with Children(greeting, one, command=waits):
        (first,) = _running(program)
        program.unlink()
        with structlog.testing.capture_logs() as logs:
            first.kill()
            await _comes(lambda: any(one["event"] == "crawl_child_cannot_start" for one in logs))
        program.symlink_to("/bin/sh")
        await _comes(lambda: len(_running(program)) == 1)


def _running(program: Path) -> list[psutil.Process]:
    """Our children that run it; a zombie has no command line."""
    mine = psutil.Process().children()
    return [one for one in mine if one.cmdline()[:1] == [str(program)]]


async def _comes(is_so: Callable[[], bool], *, seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        await asyncio.sleep(0.05)


def _take(session: Session) -> int:
    """Do what a worker does that takes a job, and dies."""
    worker = session.scalar(text("SELECT queue.procrastinate_register_worker_v1()"))
    session.execute(
        text("SELECT id FROM queue.procrastinate_fetch_job_v2(ARRAY['crawl'], :worker)"),
        {"worker": worker},
    )
    session.execute(
        text("UPDATE queue.procrastinate_workers SET last_heartbeat = now() - interval '1 h'")
    )
    assert isinstance(worker, int)
    return worker


def test_a_sweep_hands_back_the_jobs_of_the_dead_only(session: Session) -> None:
    source = add_source(session)
    defer_crawl(session, source.id, trigger="test")
    dead = _take(session)
    assert sweep(session, silent_seconds=7200) == Swept()
    assert sweep(session, silent_seconds=7200, dead={dead}) == Swept(retried=1)
    assert sweep(session) == Swept()


def test_a_swept_job_whose_like_waits_already_makes_way(session: Session) -> None:
    source = add_source(session)
    defer_crawl(session, source.id, trigger="test")
    _take(session)
    assert defer_crawl(session, source.id, trigger="schedule")
    assert sweep(session) == Swept(dropped=1)
    # The one that waits can be taken: no lock is left behind.
    _take(session)
    assert sweep(session) == Swept(retried=1)
