"""Letting the server's user reach a folder inside a home that is closed to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import DatabaseError
from core.postgres.identity import ServerUser

DESCRIPTORS = Path("/proc/self/fd")


@contextmanager
def reachable(folder: Path, user: ServerUser) -> Iterator[tuple[Path, list[int]]]:
    """A path by which this user reaches the folder, and the descriptors a child must inherit.

    A home with mode 0700 keeps others from walking to a folder in it, but not from using one
    that root has opened and passed on. So nobody's permissions need to be changed.
    """
    if user.reaches(folder):
        yield folder, []
        return
    if not DESCRIPTORS.is_dir():
        raise DatabaseError(
            f"The server runs as {user.name}, who cannot reach {folder}. Choose a data directory "
            "outside of a private home, start Goodname as a normal user, or set DATABASE_URL."
        )
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield DESCRIPTORS / str(opened), [opened]
    finally:
        os.close(opened)
