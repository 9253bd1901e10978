"""The server as the system sees it: its pid file, its processes, and what a crash leaves."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from core.errors import DatabaseError
from core.postgres.layout import Layout
from core.postgres.locks import is_free
from core.postgres.socket_dir import remove_socket_dir
from core.postgres.waiting import wait_until

log = structlog.get_logger()

KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """What a server wrote about itself into ``postmaster.pid``."""

    pid: int
    socket_dir: Path | None  #: None until the server has opened its socket


def read_pid_file(layout: Layout) -> PidFile | None:
    """What the running server, or one that was killed, says of itself; None while it has not."""
    try:
        lines = layout.pid_file.read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return PidFile(pid=pid, socket_dir=socket_dir)


def live_postmaster(layout: Layout) -> PidFile | None:
    """The pid file, if its process lives, is a Postgres and works in our data directory.

    A number alone proves nothing: zombies answer to signals, and numbers are used again.
    """
    told = read_pid_file(layout)
    if told is None:
        return None
    try:
        process = psutil.Process(told.pid)
    except psutil.NoSuchProcess:
        return None
    return told if _serves(process, layout) else None


def is_gone(layout: Layout) -> bool:
    """Whether no process of the server is left, in this container or in another one."""
    return is_free(layout.server_lock) and live_postmaster(layout) is None


def clear_away(layout: Layout) -> None:
    """End the processes and remove the files that a killed server left."""
    if is_free(layout.server_lock):
        _refuse_strange_server(layout)
    elif not _end_processes(layout):
        raise DatabaseError(
            f"A server that cannot be ended from here still uses {layout.data}: it runs in "
            f"another container, or hangs in the system. `fuser {layout.server_lock}` on the "
            "host names it. End it, then try again."
        )
    told = read_pid_file(layout)
    if told and told.socket_dir:
        remove_socket_dir(told.socket_dir)
    layout.pid_file.unlink(missing_ok=True)


def _refuse_strange_server(layout: Layout) -> None:
    told = live_postmaster(layout)
    if told:
        raise DatabaseError(
            f"A PostgreSQL server that Goodname did not start (process {told.pid}) runs on "
            f"{layout.data}. Stop it (`kill -INT {told.pid}`), then try again."
        )


def _end_processes(layout: Layout) -> bool:
    for number in (signal.SIGQUIT, signal.SIGKILL):
        left = [process for process in psutil.process_iter() if _serves(process, layout)]
        for process in left:
            log.warning("database_process_was_left", pid=process.pid)
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        if wait_until(lambda: is_gone(layout), timeout_seconds=KILL_SECONDS if left else 0.0):
            return True
    return False


def _serves(process: psutil.Process, layout: Layout) -> bool:
    """Whether this is a living Postgres of our cluster: all of them work in the data directory."""
    try:
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return layout.data.samefile(process.cwd())
    except (psutil.Error, OSError):
        return False
