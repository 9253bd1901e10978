"""The private directory of the server's socket: short, as a socket address holds ~100 bytes."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from core.errors import DatabaseError
from core.postgres.identity import ServerUser

PORT = 5432
#: macOS allows 104 bytes with the closing zero, Linux 108.
LONGEST_ADDRESS = 103


def make_socket_dir(name: str, user: ServerUser) -> Path:
    """A directory that only this user (and root) may enter; the same one every time if possible.

    A directory of that name that somebody else has or uses is left alone, and another one taken.
    """
    tried = []
    for path in _choices(name):
        try:
            if _is_short(path) and _claim(path, user):
                return path
            tried.append(f"{path}: too long, in use, or not ours")
        except OSError as error:
            tried.append(f"{path}: {error.strerror}")
    raise DatabaseError(
        f"There is no place for the database's socket ({'; '.join(tried)}). Make /tmp writable, "
        "or set XDG_RUNTIME_DIR to a short path that is."
    )


def remove_socket_dir(path: Path) -> None:
    """Leave nothing behind; a server that was killed left its socket."""
    if path.name.startswith("goodname-"):
        shutil.rmtree(path, ignore_errors=True)


def _choices(name: str) -> Iterator[Path]:
    bases = ["/tmp", os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()]  # noqa: S108
    for base in dict.fromkeys(base for base in bases if base):
        for attempt in ("", "-2", "-3"):
            yield Path(base, name + attempt)


def _is_short(path: Path) -> bool:
    return len(bytes(path / f".s.PGSQL.{PORT}")) <= LONGEST_ADDRESS


def _claim(path: Path, user: ServerUser) -> bool:
    try:
        path.mkdir(mode=0o700)
        user.own(path)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.uid or _is_in_use(path):
            return False
        path.chmod(0o700)
    return True


def _is_in_use(path: Path) -> bool:
    # A server whose data directory was deleted under it lives on for up to a minute.
    try:
        owner = (path / f".s.PGSQL.{PORT}.lock").read_text().split("\n", 1)[0]
        return psutil.pid_exists(int(owner))
    except (FileNotFoundError, ValueError):
        return False
