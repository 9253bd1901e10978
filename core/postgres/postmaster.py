"""Starting the server, asking whether it answers, stopping it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from core.errors import DatabaseError
from core.postgres.binaries import Binaries
from core.postgres.create import SUPERUSER
from core.postgres.identity import ServerUser
from core.postgres.layout import Layout
from core.postgres.locks import FileLock, is_free
from core.postgres.processes import clear_away, is_gone, live_postmaster, read_pid_file
from core.postgres.reach import reachable
from core.postgres.socket_dir import PORT, make_socket_dir, remove_socket_dir
from core.postgres.trouble import failed
from core.postgres.waiting import wait_until

log = structlog.get_logger()

#: For a small machine. All else is as Postgres has it: fsync and synchronous_commit are on.
OPTIONS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
LARGEST_LOG_BYTES = 5_000_000
PING_SECONDS = 3
SILENCE_SECONDS = 10.0
FAST_STOP_SECONDS = 30.0
IMMEDIATE_STOP_SECONDS = 10.0

#: Servers that this process started: only a parent can take a dead child off the process list.
_children: list[subprocess.Popen[str]] = []


def start(
    layout: Layout,
    binaries: Binaries,
    user: ServerUser,
    *,
    options: Mapping[str, str],
    timeout_seconds: float,
) -> Path:
    """Start the server, wait until it answers, and return the directory of its socket.

    The caller holds the start lock and has called `clear_away`.
    """
    socket_dir = make_socket_dir(layout.short_name, user)
    log_starts_at = _shorten_log(layout.log)
    process = _spawn(layout, binaries, user, _flags(socket_dir, options))
    _children.append(process)

    def is_decided() -> bool:
        return process.poll() is not None or ping(socket_dir) == Ping.OK

    if not wait_until(is_decided, timeout_seconds=timeout_seconds):
        stop(layout)
        raise DatabaseError(
            f"The database at {layout.data} did not answer within {timeout_seconds:.0f} s and was "
            f"stopped again. {layout.log} says what it was doing."
        )
    if process.poll() is not None:
        remove_socket_dir(socket_dir)
        words = layout.log.read_bytes()[log_starts_at:].decode("utf-8", "replace")
        raise failed("The database cannot be started", words, place=layout.data)
    log.info("database_started", at=str(layout.data), pid=process.pid)
    return socket_dir


def find_answering(layout: Layout, *, timeout_seconds: float) -> Path | None:
    """The socket directory of the server that runs already; None if it is dead or silent.

    One that is starting or recovering says so, and is waited for as long as it takes to start.
    """
    found: Path | None = None
    is_busy = False

    def is_decided() -> bool:
        nonlocal found, is_busy
        told = read_pid_file(layout)
        if told and told.socket_dir:
            answer = ping(told.socket_dir)
            found = told.socket_dir if answer == Ping.OK else None
            is_busy = answer == Ping.REJECT
        return found is not None or is_gone(layout) or (told is not None and _is_dead(layout))

    if not wait_until(is_decided, timeout_seconds=SILENCE_SECONDS) and is_busy:
        wait_until(is_decided, timeout_seconds=timeout_seconds)
    return found


def ping(socket_dir: Path) -> int:
    """Ask over a real connection: a process id may belong to a dead or a different process."""
    asked = make_conninfo(
        host=str(socket_dir),
        port=PORT,
        user=SUPERUSER,
        dbname=SUPERUSER,
        connect_timeout=PING_SECONDS,
    )
    return PGconn.ping(asked.encode())


def stop(layout: Layout) -> None:
    """Stop our server and return when all of it is gone; also after it was killed."""
    before = read_pid_file(layout)
    for number, patience in (
        (signal.SIGINT, FAST_STOP_SECONDS),  # "fast": open transactions are rolled back
        (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS),  # "immediate": the next start recovers
    ):
        told = live_postmaster(layout)
        if told is None or is_free(layout.server_lock):
            break
        with suppress(ProcessLookupError):
            os.kill(told.pid, number)
        if wait_until(lambda: is_gone(layout), timeout_seconds=patience):
            break
    clear_away(layout)
    if before and before.socket_dir:
        remove_socket_dir(before.socket_dir)
    reap()
    log.info("database_stopped", at=str(layout.data))


def reap() -> None:
    """Take servers of ours that have ended off the process list."""
    _children[:] = [child for child in _children if child.poll() is None]


def _is_dead(layout: Layout) -> bool:
    return live_postmaster(layout) is None


def _flags(socket_dir: Path, options: Mapping[str, str]) -> list[str]:
    fixed = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
    }
    settings = {**OPTIONS, **options, **fixed}
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _spawn(
    layout: Layout, binaries: Binaries, user: ServerUser, flags: list[str]
) -> subprocess.Popen[str]:
    alive = FileLock(layout.server_lock)
    try:
        if not alive.try_exclusive():
            raise DatabaseError(f"A server of {layout.data} is still running.")
        with reachable(layout.data, user) as (path, descriptors), _open_log(layout.log) as output:
            command: list[str | Path] = [binaries.program("postgres"), "-D", path, *flags]
            return user.spawn(command, stdout=output, keep_open=[*descriptors, alive.fd])
    finally:
        alive.close()


def _open_log(path: Path) -> IO[str]:
    # A log may hold statements, and so what people wrote.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")


def _shorten_log(path: Path) -> int:
    """Begin a new log when the old one has grown large; return where the next words will stand."""
    size = path.stat().st_size if path.exists() else 0
    if size <= LARGEST_LOG_BYTES:
        return size
    path.replace(path.with_suffix(".log.1"))
    return 0
