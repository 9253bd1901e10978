"""From what the system or Postgres complains about to what a person can do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import DatabaseError

OTHER_PLACE = "choose another data directory, or set DATABASE_URL to a PostgreSQL server"

#: (what Postgres or the C library writes, what is wrong, what to do); the first that occurs counts.
CAUSES = (
    ("could not create semaphores", "the system has no semaphores left", "raise kernel.sem"),
    (
        "could not create shared memory segment",
        "the system refuses the shared memory that the server needs",
        "lower shared_buffers, or enlarge /dev/shm",
    ),
    (
        "could not map anonymous shared memory",
        "there is not enough memory for the server",
        "free some memory, or lower shared_buffers",
    ),
    ("No space left on device", "the disk is full", f"free some space there, {OTHER_PLACE}"),
    ("Disk quota exceeded", "the disk quota is used up", f"free some space there, {OTHER_PLACE}"),
    (
        "Read-only file system",
        "the file system is mounted read-only",
        f"mount it writable, {OTHER_PLACE}",
    ),
    (
        "pre-existing shared memory block",
        "processes of an earlier server still run there",
        "end the processes that the log names, then try again",
    ),
    (
        "incompatible with server",
        "the data was written by another release of PostgreSQL",
        "install the release named in its PG_VERSION, or restore a dump into a new directory",
    ),
    (
        "has wrong ownership",
        "the files belong to another user than the one that runs the server",
        "give them back with chown -R, as they were before",
    ),
    (
        "could not look up effective user ID",
        "the user that runs Goodname has no entry in /etc/passwd",
        "add one, or set DATABASE_URL",
    ),
    (
        "unrecognized configuration parameter",
        "a database option has a name that PostgreSQL does not know",
        "correct it in the settings",
    ),
    (
        "invalid value for parameter",
        "a database option has a value that PostgreSQL does not take",
        "correct it in the settings",
    ),
    (
        "could not locate a valid checkpoint record",
        "the files are damaged",
        "restore a backup, or move them away to begin anew",
    ),
    (
        "Permission denied",
        "the files or a directory above them may not be read or written",
        f"run as the user that they belong to, {OTHER_PLACE}",
    ),
)

ERRNO_TEXTS = {
    errno.ENOSPC: "No space left on device",
    errno.EDQUOT: "Disk quota exceeded",
    errno.EROFS: "Read-only file system",
    errno.EACCES: "Permission denied",
    errno.EPERM: "Permission denied",
}


def failed(what: str, output: str, *, place: Path) -> DatabaseError:
    """The error for a command of Postgres that failed with this output."""
    wrong, advice = _cause(output)
    said = " | ".join(_telling_lines(output)) or "nothing"
    return DatabaseError(f"{what} at {place}: {wrong}. To go on, {advice}. Postgres said: {said}")


@contextmanager
def told_clearly(what: str, *, place: Path) -> Iterator[None]:
    """Turn an error of the operating system inside the block into ours."""
    try:
        yield
    except OSError as error:
        reason = ERRNO_TEXTS.get(error.errno or 0, error.strerror or str(error))
        wrong, advice = _cause(reason)
        where = error.filename or place
        raise DatabaseError(
            f"{what} at {place}: {wrong}. To go on, {advice}. ({reason}: {where})"
        ) from error


def _cause(output: str) -> tuple[str, str]:
    for sign, wrong, advice in CAUSES:
        if sign in output:
            return wrong, advice
    return "it failed", f"see what it said, {OTHER_PLACE}"


def _telling_lines(output: str) -> list[str]:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "rror"))]
    return (marked or lines)[-4:]
