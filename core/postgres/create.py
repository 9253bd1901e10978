"""Making a new cluster, so that it is either complete or not there."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from core.errors import DatabaseError
from core.postgres.binaries import Binaries
from core.postgres.identity import ServerUser
from core.postgres.layout import MARK, Layout, State, inspect
from core.postgres.locks import FileLock
from core.postgres.reach import reachable
from core.postgres.trouble import failed
from core.postgres.waiting import wait_until

log = structlog.get_logger()

SUPERUSER = "postgres"
WRITER_SECONDS = 60.0
#: The socket stands in a private directory, so whoever reaches it may come in; nobody else does.
INITDB_OPTIONS = (
    "--no-sync",
    "--no-instructions",
    "--encoding=UTF8",
    f"--username={SUPERUSER}",
    "--auth-local=trust",
    "--auth-host=reject",
)
#: Systems without C.UTF-8 (older macOS) get its nearest relative; letters of all languages count
#: as letters in every one of them but the last.
LOCALES = (
    ("--locale=C.UTF-8",),
    ("--locale=C", "--lc-ctype=en_US.UTF-8"),
    ("--locale=C",),
)


def refuse_unusable(data: Path) -> None:
    """Stop before anything is touched that is not ours, or that only a backup can mend."""
    state = inspect(data)
    if state is State.FOREIGN:
        raise DatabaseError(
            f"{data} is not empty and holds something else than a database that Goodname made. "
            "Nothing in it was changed. Choose an empty or a new data directory."
        )
    if state is State.DAMAGED:
        raise DatabaseError(
            f"The database in {data} is damaged: PG_VERSION or global/pg_control is gone or "
            "empty. Nothing in it was changed. Restore a backup, or move the directory away to "
            "begin anew."
        )


def create(layout: Layout, binaries: Binaries, user: ServerUser, *, sync: bool) -> None:
    """Make a cluster where there is none; with ``sync`` it is on the disk before it counts."""
    refuse_unusable(layout.data)
    if inspect(layout.data) is State.HALF_WRITTEN:
        _set_aside(layout)
    with _sole_writer(layout) as alive:
        if layout.unfinished.exists():
            log.warning("database_creation_was_interrupted", left=str(layout.unfinished))
            shutil.rmtree(layout.unfinished)
        try:
            _write_cluster(layout.unfinished, binaries, user, keep_open=[alive.fd], sync=sync)
            _put_in_place(layout)
        finally:
            shutil.rmtree(layout.unfinished, ignore_errors=True)
    log.info("database_created", at=str(layout.data), postgres=binaries.major)


@contextmanager
def _sole_writer(layout: Layout) -> Iterator[FileLock]:
    # An initdb outlives whoever started it and was killed; it must not write into our attempt.
    alive = FileLock(layout.server_lock)
    try:
        if not wait_until(alive.try_exclusive, timeout_seconds=WRITER_SECONDS):
            raise DatabaseError(
                f"Another process still creates the database in {layout.data}; "
                f"`fuser {layout.server_lock}` names it. End it, then try again."
            )
        yield alive
    finally:
        alive.close()


def _write_cluster(
    folder: Path, binaries: Binaries, user: ServerUser, *, keep_open: list[int], sync: bool
) -> None:
    folder.mkdir(mode=0o700)
    user.own(folder)
    with reachable(folder, user) as (path, descriptors):
        keep_open = [*keep_open, *descriptors]
        initdb: list[str | Path] = [binaries.program("initdb"), "-D", path]
        for locale in LOCALES:
            done = user.run([*initdb, *INITDB_OPTIONS, *locale], keep_open=keep_open)
            if "invalid locale" not in done.stdout:
                break
        if done.returncode == 0 and sync:
            done = user.run([*initdb, "--sync-only"], keep_open=keep_open)
    if done.returncode != 0:
        raise failed("The database cannot be created", done.stdout, place=folder)
    mark = folder / MARK
    mark.touch(mode=0o600)
    user.own(mark)


def _put_in_place(layout: Layout) -> None:
    try:
        layout.unfinished.rename(layout.data)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        raise DatabaseError(
            f"{layout.data} is the root of a mounted file system, where a finished database "
            f"cannot be put in one step. Choose a directory below it, e.g. {layout.data}/database."
        ) from error
    for folder in (layout.run, layout.data.parent):
        _sync_names(folder)


def _sync_names(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _set_aside(layout: Layout) -> None:
    number = sum(1 for _ in layout.run.glob("half-written-*")) + 1
    aside = layout.run / f"half-written-{number}"
    layout.data.rename(aside)
    log.warning("database_was_half_written", moved_to=str(aside))
