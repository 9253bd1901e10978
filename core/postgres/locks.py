"""Kernel locks on files: they vanish with the process that held them, however it died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import DatabaseError
from core.postgres.unix import fcntl
from core.postgres.waiting import wait_until


class FileLock:
    """One open lock file; a child that inherits its descriptor keeps the lock alive too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock, or turn a shared one into it, unless somebody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock shared, or turn an exclusive one into it."""
        return self._try(fcntl.LOCK_SH)

    def close(self) -> None:
        """Give the lock up here; those who inherited it still hold it."""
        os.close(self.fd)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock right now."""
    lock = FileLock(path)
    try:
        return lock.try_exclusive()
    finally:
        lock.close()


@contextmanager
def exclusive(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Wait for the lock and hold it for the block."""
    lock = FileLock(path)
    try:
        if not wait_until(lock.try_exclusive, timeout_seconds=timeout_seconds):
            raise DatabaseError(
                f"Another process has been starting or stopping the database for more than "
                f"{timeout_seconds:.0f} s and holds {path}. `fuser {path}` names it; end it and "
                "try again."
            )
        yield
    finally:
        lock.close()
