"""What each process does: settings, logs, database, a heartbeat, and the room's own loop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.database import Urls, owner_engine
from core.errors import GoodnameError
from core.log import configure_logging
from core.process import beating
from core.queue import Queue
from core.settings import Settings, load_settings
from goodname.reach import reached


def serve_api(path: Path | None) -> None:
    """Serve until told to stop."""
    with _process(path, role="api") as (settings, urls):
        from api.serve import run_api

        run_api(settings, urls)


def schedule(path: Path | None) -> None:
    """Lead, or stand by, until told to stop."""
    with _process(path, role="scheduler") as (settings, urls):
        from crawlers.scheduler import run_scheduler

        run_scheduler(settings, urls)


def work(path: Path | None, names: Sequence[str]) -> None:
    """Work on queues until told to stop; crawling needs a worker of its own."""
    queues = [_queue(name) for name in names]
    with _process(path, role="+".join(queues)) as (settings, urls):
        if queues == [Queue.CRAWL]:
            from crawlers.worker import run_crawl_worker

            run_crawl_worker(settings, urls)
            return
        if Queue.CRAWL in queues:
            raise GoodnameError("crawl needs a worker of its own: worker --queue crawl")
        from pipeline.worker import run_worker

        run_worker(settings, urls, queues=queues)


def _queue(name: str) -> Queue:
    try:
        return Queue(name.strip())
    except ValueError:
        raise GoodnameError(f"unknown queue {name!r}; known: {', '.join(Queue)}") from None


@contextmanager
def _process(path: Path | None, *, role: str) -> Iterator[tuple[Settings, Urls]]:
    if os.environ.get("GOODNAME_SUPERVISED"):
        _end_with_parent()
    settings = load_settings(path)
    configure_logging(level=settings.log.level, style=settings.log.format, process=role)
    with reached(settings) as urls:
        engine = owner_engine(urls.owner, pool_size=1)
        try:
            with beating(engine, role=role):
                yield settings, urls
        finally:
            engine.dispose()


def _end_with_parent() -> None:
    """Stop when the other end of standard input is gone: whoever started us has ended."""

    def wait() -> None:
        # The bare descriptor: a thread inside a buffered reader breaks the interpreter's exit.
        while os.read(sys.stdin.fileno(), 1024):
            continue
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
