"""Disks that are full or cannot be written."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from core.errors import DatabaseError
from core.postgres.cluster import running
from core.postgres.layout import Layout
from core.postgres.processes import is_gone

THROW_AWAY = {"fsync": "off"}


@pytest.fixture
def small_disk(place: Path, as_root: None) -> Iterator[Callable[[str], Path]]:
    """Mount a file system of a given size, taken away after the test."""
    disk = place / "disk"
    disk.mkdir()

    def mount(size: str) -> Path:
        done = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(disk)],
            capture_output=True,
        )
        if done.returncode != 0:
            pytest.skip(f"cannot mount a small file system here: {done.stderr.decode().strip()}")
        return disk

    yield mount
    if disk.is_mount():
        subprocess.run(["/bin/umount", str(disk)], check=True)


def test_a_disk_too_small_for_a_database_is_named(small_disk: Callable[[str], Path]) -> None:
    data = small_disk("24m") / "data"
    with pytest.raises(DatabaseError) as refused, running(data, options=THROW_AWAY):
        pass
    message = str(refused.value)
    assert "the disk is full" in message
    assert str(data) in message
    assert "free some space" in message
    assert not data.exists()
    assert not Layout.of(data).unfinished.exists(), "what was half written takes no space"


def test_a_disk_without_room_for_a_lock_is_named(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("64k")
    fill(disk)
    with pytest.raises(DatabaseError, match="the disk is full"), running(disk / "data"):
        pass


def test_a_disk_full_at_the_next_start_is_named_and_mended_by_space(
    small_disk: Callable[[str], Path], data: Path
) -> None:
    moved = small_disk("120m") / "data"
    subprocess.run(["/bin/cp", "-a", str(data), str(moved)], check=True)
    with running(moved, options=THROW_AWAY):
        pass
    ballast = fill(moved.parent)
    with pytest.raises(DatabaseError, match="the disk is full"), running(moved):
        pass
    assert is_gone(Layout.of(moved))
    ballast.unlink()
    assert counts(moved) == 0


def test_a_disk_that_fills_while_it_runs_does_not_keep_it_from_stopping(
    small_disk: Callable[[str], Path], data: Path
) -> None:
    moved = small_disk("120m") / "data"
    subprocess.run(["/bin/cp", "-a", str(data), str(moved)], check=True)
    with running(moved) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        ballast = fill(moved.parent)
        with pytest.raises(psycopg.Error):
            connection.execute(
                "CREATE TABLE much AS SELECT repeat(md5(n::text), 40)"
                " FROM generate_series(1, 100000) AS n"
            )
    assert is_gone(Layout.of(moved))
    ballast.unlink()
    with running(moved) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_read_only_disk_is_named(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("8m")
    subprocess.run(["/bin/mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(DatabaseError) as refused, running(disk / "data"):
        pass
    assert "mounted read-only" in str(refused.value)
    assert str(disk / "data") in str(refused.value)


def test_a_disk_that_became_read_only_is_named(
    small_disk: Callable[[str], Path], data: Path
) -> None:
    moved = small_disk("120m") / "data"
    subprocess.run(["/bin/cp", "-a", str(data), str(moved)], check=True)
    with running(moved, options=THROW_AWAY):
        pass
    subprocess.run(["/bin/mount", "-o", "remount,ro", str(moved.parent)], check=True)
    with pytest.raises(DatabaseError, match="mounted read-only"), running(moved):
        pass


def test_a_directory_that_may_not_be_written_is_named(
    place: Path, client: Callable[..., Any], as_root: None
) -> None:
    said = client(place / "data", "--uid", "65534").heard()
    assert "may not be read or written" in str(said["error"])
    assert str(place / "data") in str(said["error"])


def counts(data: Path) -> int:
    with running(data, options=THROW_AWAY) as server, psycopg.connect(server.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_prepared_xacts").fetchone()
        assert found
        return int(found[0])


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            write_until_full(file, b"\0" * size)
    assert os.statvfs(disk).f_bavail == 0
    return ballast


def write_until_full(file: IO[bytes], block: bytes) -> None:
    try:
        while True:
            file.write(block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
