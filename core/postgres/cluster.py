"""The embedded database: started by the first who needs it, stopped by the last one out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import structlog

from core.errors import DatabaseError
from core.postgres.binaries import candidates, find_binaries
from core.postgres.create import SUPERUSER, create, refuse_unusable
from core.postgres.identity import server_user
from core.postgres.layout import Layout, State, inspect, major_version
from core.postgres.locks import FileLock, exclusive, is_free
from core.postgres.postmaster import find_answering, reap, start, stop
from core.postgres.processes import clear_away, live_postmaster
from core.postgres.socket_dir import PORT
from core.postgres.trouble import told_clearly

OWNER = "goodname"  #: the role that owns the database, and the database's name

START_SECONDS = 120.0
#: How much longer than a start one waits for another process that starts or stops the server.
PATIENCE_SECONDS = 60.0

FIND_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = %s"
FIND_DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to reach a running server; the addresses are libpq's, for psycopg."""

    url: str  #: as the owner of the database `goodname`: may create roles, is not a superuser
    superuser_url: str  #: the same database as a superuser
    data_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller asked for."""

    layout: Layout
    options: Mapping[str, str]
    folders: Iterable[Path] | None
    timeout_seconds: float


@contextmanager
def running(
    data_dir: Path,
    *,
    options: Mapping[str, str] | None = None,
    folders: Iterable[Path] | None = None,
    timeout_seconds: float = START_SECONDS,
) -> Iterator[Server]:
    """Have the server of this directory running for the block; any number of processes may.

    ``options`` are settings of Postgres, of use to whoever happens to start it (a test's
    throw-away cluster passes ``{"fsync": "off"}``). ``folders`` are where to look for its
    programs, in place of the wheel and of what is installed.
    """
    wanted = Wanted(
        layout=Layout.of(data_dir),
        options=options or {},
        folders=folders,
        timeout_seconds=timeout_seconds,
    )
    what = "The database cannot be started"
    with told_clearly(what, place=wanted.layout.data):
        users = _open_users_lock(wanted.layout)
    process_id = os.getpid()
    try:
        with told_clearly(what, place=wanted.layout.data):
            server = _join(wanted, users)
        yield server
    except BaseException:
        if os.getpid() == process_id:
            _leave_quietly(wanted, users)
        raise
    if os.getpid() == process_id:  # a forked child that unwinds has no part in this
        with told_clearly("The database cannot be stopped", place=wanted.layout.data):
            _leave(wanted, users)


def _open_users_lock(layout: Layout) -> FileLock:
    layout.data.parent.mkdir(parents=True, exist_ok=True)
    layout.run.mkdir(mode=0o711, exist_ok=True)
    return FileLock(layout.users_lock)


def _join(wanted: Wanted, users: FileLock) -> Server:
    layout = wanted.layout
    with exclusive(layout.start_lock, timeout_seconds=wanted.timeout_seconds + PATIENCE_SECONDS):
        refuse_unusable(layout.data)
        is_alone = users.try_exclusive()
        users.try_shared()
        socket_dir = _running_server(wanted, is_alone=is_alone) or _start_server(wanted)
        _ensure_owner(socket_dir)
    return Server(
        url=_url(OWNER, socket_dir),
        superuser_url=_url(SUPERUSER, socket_dir),
        data_dir=layout.data,
    )


def _running_server(wanted: Wanted, *, is_alone: bool) -> Path | None:
    layout = wanted.layout
    if is_free(layout.server_lock):
        return None
    socket_dir = find_answering(layout, timeout_seconds=wanted.timeout_seconds)
    told = live_postmaster(layout)
    if socket_dir is None and told is not None:
        if not is_alone:
            raise DatabaseError(
                f"The server of {layout.data} (process {told.pid}) runs and others use it, but it "
                f"does not answer at {told.socket_dir}. Is that directory visible from here "
                f"(a service may have a /tmp of its own)? Its log is {layout.log}."
            )
        stop(layout)
    return socket_dir


def _start_server(wanted: Wanted) -> Path:
    layout = wanted.layout
    user = server_user(layout.data)
    exists = inspect(layout.data) is State.READY
    binaries = find_binaries(
        user,
        folders=candidates() if wanted.folders is None else wanted.folders,
        major=major_version(layout.data) if exists else None,
    )
    if exists:
        clear_away(layout)
    else:
        create(layout, binaries, user, sync=wanted.options.get("fsync") != "off")
    return start(
        layout, binaries, user, options=wanted.options, timeout_seconds=wanted.timeout_seconds
    )


def _ensure_owner(socket_dir: Path) -> None:
    """Create the role and the database that Goodname works with, unless they exist."""
    address = _url(SUPERUSER, socket_dir, database=SUPERUSER)
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            if not connection.execute(FIND_ROLE, [OWNER]).fetchone():
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB")
            if not connection.execute(FIND_DATABASE, [OWNER]).fetchone():
                connection.execute(f"CREATE DATABASE {OWNER} OWNER {OWNER}")
    except psycopg.Error as error:
        raise DatabaseError(
            f"The database server at {socket_dir} runs but cannot be prepared: {error}"
        ) from error


def _url(role: str, socket_dir: Path, *, database: str = OWNER) -> str:
    # The port is written out, so that a PGPORT in the environment does not lead elsewhere.
    return f"postgresql://{role}@/{database}?host={quote(str(socket_dir))}&port={PORT}"


def _leave(wanted: Wanted, users: FileLock) -> None:
    layout = wanted.layout
    try:
        with exclusive(
            layout.start_lock, timeout_seconds=wanted.timeout_seconds + PATIENCE_SECONDS
        ):
            if users.try_exclusive() and inspect(layout.data) is State.READY:
                stop(layout)
            reap()
    finally:
        users.close()


def _leave_quietly(wanted: Wanted, users: FileLock) -> None:
    """Leave while another error is on its way: that one is what the caller must hear of."""
    try:
        _leave(wanted, users)
    except (DatabaseError, OSError) as error:
        log.warning("database_not_stopped", at=str(wanted.layout.data), error=str(error))
