"""The embedded database under `up`: when it dies, it is started again at the same address."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import structlog

from core.database import Urls, conninfo
from core.errors import GoodnameError

log = structlog.get_logger()

LOOK_SECONDS = 2.0


class Database:
    """A look every two seconds; the workers wait meanwhile and go on by themselves."""

    def __init__(self, urls: Urls, *, start: Callable[[], object]) -> None:
        self._conninfo = conninfo(urls.owner)
        self._start = start
        self._next = 0.0

    def look(self) -> None:
        """Start it when it does not answer, and say so; a server of others is only missed."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        if (reason := self._why_silent()) is None:
            return
        log.error("database_died", reason=reason, doing="starting it again")
        try:
            self._start()
        except GoodnameError as error:
            log.error("database_not_started", reason=str(error))
        else:
            log.info("database_back")

    def _why_silent(self) -> str | None:
        try:
            with psycopg.connect(self._conninfo, connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return (str(error).strip().splitlines() or ["no answer"])[0]
        return None
