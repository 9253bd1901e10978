"""A crawl worker whose children know the plain spider: ``python -m tests.crawlers.working``.

Its settings come as one line of JSON over standard input, with the database's address.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.database import Urls
from core.log import configure_logging
from core.models import CrawlRun, Source
from core.queue import defer_crawl
from core.settings import CrawlSection, Settings
from crawlers.worker import work
from tests.factories import add_source

ROOT = Path(__file__).parents[2]
CHILD = (sys.executable, "-m", "tests.crawlers.plain")


@contextmanager
def working(database_url: str, **crawl: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A running worker; killed with its children at the end, if it still runs."""
    process = start(database_url, **crawl)
    try:
        yield process
    finally:
        end(process)


def start(database_url: str, **crawl: Any) -> subprocess.Popen[bytes]:
    """Start a worker in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crawlers.working"],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    # A tick may be late on a busy machine: nobody but who hangs is to be taken for hanging.
    defaults = {
        "delay_seconds": 0.0,
        "longest_delay_seconds": 0.0,
        "timeout_seconds": 5.0,
        "tick_timeout_seconds": 6.0,
    }
    assert process.stdin is not None
    with process.stdin:
        process.stdin.write(json.dumps({"url": database_url, "crawl": defaults | crawl}).encode())
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a worker and of its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The child processes of a worker."""
    return psutil.Process(process.pid).children()


def ask(engine: Engine, url: str, *, interval_seconds: int = 900, **params: Any) -> int:
    """A plain source and a job for it."""
    with Session(engine) as session, session.begin():
        source = add_source(
            session, kind="plain", params={"url": url} | params, interval_seconds=interval_seconds
        )
        defer_crawl(session, source.id, trigger="test")
        return source.id


def runs(engine: Engine, source_id: int) -> list[CrawlRun]:
    """What happened to a source, oldest first."""
    with Session(engine) as session:
        mine = select(CrawlRun).where(CrawlRun.source_id == source_id).order_by(CrawlRun.id)
        return list(session.scalars(mine))


def jobs(engine: Engine) -> dict[str, int]:
    """Crawl jobs by status."""
    with Session(engine) as session:
        counted = func.count()
        from sqlalchemy import column, table

        queue = table("procrastinate_jobs", column("status"), column("queue_name"), schema="queue")
        rows = session.execute(
            select(queue.c.status, counted)
            .where(queue.c.queue_name == "crawl")
            .group_by(queue.c.status)
        )
        return {str(status): int(number) for status, number in rows}


def source_row(engine: Engine, source_id: int) -> Source:
    with Session(engine) as session:
        return session.get_one(Source, source_id)


def wait_for(condition: Callable[[], Any], *, seconds: float = 30.0) -> float:
    """Wait until a condition holds; return how long that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


async def _main() -> None:
    told = json.loads(sys.stdin.readline())
    settings = Settings(crawl=CrawlSection(**told["crawl"]))
    configure_logging(level="info", style="json", process="crawl")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    urls = Urls(owner=told["url"], app=told["url"])
    await work(settings, urls, stop=stop, command=CHILD)


if __name__ == "__main__":
    asyncio.run(_main())
