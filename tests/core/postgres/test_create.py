"""What may stand at the place of the data directory."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from core.errors import DatabaseError
from core.postgres.cluster import running
from core.postgres.layout import Layout, State, inspect

THROW_AWAY = {"fsync": "off"}


def test_an_empty_directory_is_used(place: Path) -> None:
    (place / "data").mkdir()
    assert starts(place / "data")


def test_a_new_directory_may_lie_deep(place: Path) -> None:
    assert starts(place / "not" / "yet" / "there" / "data")


def test_an_interrupted_creation_is_done_again(place: Path, data: Path) -> None:
    unfinished = Layout.of(place / "other").unfinished
    unfinished.parent.mkdir()
    data.rename(unfinished)
    shutil.rmtree(unfinished / "base")
    assert starts(place / "other")
    assert not unfinished.exists()


def test_a_half_written_directory_is_set_aside_and_made_again(data: Path) -> None:
    for name in ("global", "goodname.cluster", "postmaster.opts", "pg_wal"):
        path = data / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert inspect(data) is State.HALF_WRITTEN
    assert starts(data)
    assert (Layout.of(data).run / "half-written-1" / "PG_VERSION").exists()


@pytest.mark.parametrize("name", ["notes.txt", "base/notes.txt"])
def test_somebody_elses_directory_is_refused_and_left_as_it_was(place: Path, name: str) -> None:
    theirs = place / "data" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("do not lose this")
    if name.startswith("base"):
        (place / "data" / "global").mkdir()
        (place / "data" / "global" / "pg_control").write_bytes(b"\1" * 8192)
    before = listing(place / "data")
    with pytest.raises(DatabaseError, match="holds something else"), running(place / "data"):
        pass
    assert listing(place / "data") == before
    assert theirs.read_text() == "do not lose this"


def test_a_file_in_the_place_of_the_directory_is_refused(place: Path) -> None:
    (place / "data").write_text("a file")
    with pytest.raises(DatabaseError, match="holds something else"), running(place / "data"):
        pass
    assert (place / "data").read_text() == "a file"


def test_a_cluster_that_somebody_else_made_is_refused(data: Path) -> None:
    (data / "goodname.cluster").unlink()
    before = listing(data)
    with pytest.raises(DatabaseError, match="holds something else"), running(data):
        pass
    assert listing(data) == before


def test_a_damaged_cluster_is_never_made_anew(data: Path) -> None:
    (data / "global" / "pg_control").write_bytes(b"")
    before = listing(data)
    with pytest.raises(DatabaseError, match=r"damaged.*Restore a backup"), running(data):
        pass
    assert listing(data) == before


def test_data_of_a_release_that_is_not_installed_is_refused(data: Path) -> None:
    (data / "PG_VERSION").write_text("14\n")
    with (
        pytest.raises(DatabaseError, match=r"written by PostgreSQL 14, and no PostgreSQL 14 can"),
        running(data),
    ):
        pass
    (data / "PG_VERSION").write_text("18\n")
    assert starts(data)


def test_a_release_that_cannot_read_the_data_says_so(data: Path) -> None:
    control = data / "global" / "pg_control"
    content = bytearray(control.read_bytes())
    content[8] ^= 1  # pg_control_version follows the system identifier
    control.write_bytes(content)
    with pytest.raises(DatabaseError, match="another release of PostgreSQL"), running(data):
        pass


def test_files_in_the_way_of_the_locks_are_reported(place: Path) -> None:
    (place / "data.run").write_text("a file")
    with (
        pytest.raises(DatabaseError, match=re.escape(str(place / "data.run"))),
        running(place / "data"),
    ):
        pass


def test_a_mounted_file_system_wants_a_directory_below_it(place: Path, as_root: None) -> None:
    data = place / "data"
    data.mkdir()
    mount(data, "size=120m,mode=0755")
    try:
        with (
            pytest.raises(DatabaseError, match=f"Choose a directory below it.*{data}/"),
            running(data),
        ):
            pass
        assert starts(data / "database")
    finally:
        subprocess.run(["/bin/umount", str(data)], check=True)


def starts(data: Path) -> bool:
    with running(data, options=THROW_AWAY) as server, psycopg.connect(server.url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """Every file with its size and time of change."""
    found = []
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        found.append((str(path), seen.st_size, seen.st_mtime_ns))
    return found


def mount(folder: Path, options: str) -> None:
    done = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode != 0:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.decode().strip()}")
