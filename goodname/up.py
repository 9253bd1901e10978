"""`goodname up`: everything on one machine, with one log, stopped by one Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from core.database import Urls
from core.errors import GoodnameError
from core.log import configure_logging
from core.settings import Settings
from goodname.alive import Database
from goodname.announce import announce_ready, announce_start
from goodname.children import Crew, cause_of_death, first_dead, stop_all
from goodname.lock import only_one
from goodname.place import data_dir
from goodname.port import free_port, is_served
from goodname.prepare import prepare
from goodname.reach import reached

log = structlog.get_logger()

#: Of the API alone; the first start of the embedded database has taken its own time before.
READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How the invented internet of ``--demo`` behaves."""

    fresh: bool = False  #: forget what earlier demos collected
    seed: int | None = None  #: which order things happen in; drawn when None
    texts: Path | None = None  #: other texts than the shipped ones
    brand: str | None = None  #: another name for the brand
    rival: str | None = None  #: another name for its rival


def run_up(settings: Settings, *, demo: DemoOptions | None) -> int:
    """Run until Ctrl-C, SIGTERM or the death of a process; return the exit status."""
    began, is_demo = time.monotonic(), demo is not None
    configure_logging(level=settings.log.level, style=settings.log.format, process="up")
    with ExitStack() as stack:
        stopping = stack.enter_context(_signals())
        stack.enter_context(only_one(data_dir(settings, demo=is_demo)))
        free_port(settings.api.host, settings.api.port)
        env: Mapping[str, str] = {}
        if demo is not None:
            settings, env = stack.enter_context(_demo(settings, demo))
        urls = stack.enter_context(reached(settings, demo=is_demo))
        first_key = prepare(urls, settings, now=datetime.now(UTC), is_demo=is_demo)
        announce_start(settings, first_key=first_key, is_demo=is_demo)
        crew = Crew(env={**env, **_address(urls)})
        database = Database(
            urls, start=lambda: stack.enter_context(reached(settings, demo=is_demo))
        )
        try:
            return _watch(crew, database, settings, stopping, began=began, first_key=first_key)
        finally:
            for name in stop_all(crew.children):
                log.warning("process_killed", process_name=name, reason="did not stop in time")
            log.info("stopped")


@contextmanager
def _demo(settings: Settings, demo: DemoOptions) -> Iterator[tuple[Settings, Mapping[str, str]]]:
    from goodname.demo.watch import forget, watched_world

    if demo.fresh:
        forget(data_dir(settings, demo=True))
    with watched_world(
        settings, seed=demo.seed, texts=demo.texts, brand=demo.brand, rival=demo.rival
    ) as watched:
        yield watched


def _watch(
    crew: Crew,
    database: Database,
    settings: Settings,
    stopping: threading.Event,
    *,
    began: float,
    first_key: str | None,
) -> int:
    crew.start_page()
    page_began, is_ready = time.monotonic(), False
    while not stopping.wait(0.1):
        if dead := first_dead(crew.children):
            log.error("process_died", process_name=dead.role.name, cause=cause_of_death(dead))
            return 1
        database.look()
        if not is_ready and is_served(settings.api.host, settings.api.port):
            is_ready = True
            announce_ready(settings, seconds=time.monotonic() - began, first_key=first_key)
        if is_ready:
            crew.start_rest()
        elif time.monotonic() - page_began > READY_SECONDS:
            raise GoodnameError(f"the API did not answer within {READY_SECONDS:.0f} s; see the log")
    return 0


def _address(urls: Urls) -> Mapping[str, str]:
    return {"GOODNAME_DATABASE__URL": urls.owner, "GOODNAME_DATABASE__APP_URL": urls.app}


@contextmanager
def _signals() -> Iterator[threading.Event]:
    stopping = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopping.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
