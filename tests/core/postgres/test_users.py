"""As root and as a normal user, with homes that others cannot enter."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.postgres.binaries import wheel_folder
from core.postgres.cluster import running
from core.postgres.layout import Layout
from core.postgres.processes import is_gone, read_pid_file
from core.postgres.waiting import wait_until

THROW_AWAY = {"fsync": "off"}
NOBODY = "65534"


def test_root_gives_the_server_to_nobody(data: Path, as_root: None) -> None:
    with running(data, options=THROW_AWAY):
        postmaster = psutil.Process(postmaster_id(data))
        nobody = pwd.getpwnam("nobody")
        assert set(postmaster.uids()) == {nobody.pw_uid}
        assert set(postmaster.gids()) == {nobody.pw_gid}
        groups = Path(f"/proc/{postmaster.pid}/status").read_text().partition("Groups:")[2]
        assert groups.splitlines()[0].strip() in ("", str(nobody.pw_gid))


def test_root_keeps_its_data_in_a_home_that_nobody_can_enter(place: Path, as_root: None) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    data = home / "deep" / "data"
    for _ in range(2):
        with running(data, options=THROW_AWAY) as server, psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    assert home.stat().st_mode & 0o777 == 0o700
    assert is_gone(Layout.of(data))


def test_a_server_in_a_closed_home_reads_its_settings_again(
    place: Path, data: Path, as_root: None
) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    data = data.rename(home / "data")
    with (
        running(data, options=THROW_AWAY) as server,
        psycopg.connect(server.superuser_url, autocommit=True) as connection,
    ):
        connection.execute("ALTER SYSTEM SET work_mem = '9MB'")
        connection.execute("SELECT pg_reload_conf()")
        assert wait_until(
            lambda: connection.execute("SHOW work_mem").fetchone() == ("9MB",), timeout_seconds=10
        )


def test_a_server_in_a_closed_home_is_found_and_recovered_like_any_other(
    place: Path, data: Path, client: Callable[..., Any], as_root: None
) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    data = data.rename(home / "data")
    one = client(data)
    number = int(str(one.heard()["pid"]))
    with running(data, options=THROW_AWAY):
        assert postmaster_id(data) == number
        psutil.Process(number).kill()
    with running(data, options=THROW_AWAY) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert one.leave() == 0
    assert is_gone(Layout.of(data))


def test_programs_in_a_home_that_nobody_can_enter_are_copied(
    place: Path, data: Path, as_root: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.postgres.binaries.COPY_PLACES", (place / "copies",))
    folder = installed_in(place / "home")
    (place / "home").chmod(0o700)
    with running(data, options=THROW_AWAY, folders=[folder]):
        program = Path(psutil.Process(postmaster_id(data)).exe())
    assert place / "copies" in program.parents
    assert program.stat().st_uid == 0
    again = program.stat().st_ino
    with running(data, options=THROW_AWAY, folders=[folder]):
        assert Path(psutil.Process(postmaster_id(data)).exe()).stat().st_ino == again


def test_a_normal_user_makes_and_stops_a_database(
    place: Path, client: Callable[..., Any], as_root: None
) -> None:
    folder = installed_in(place / "site")
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, int(NOBODY), int(NOBODY))
    for _ in range(2):
        one = client(home / "data", "--uid", NOBODY, "--folder", str(folder))
        postmaster = psutil.Process(int(str(one.heard()["pid"])))
        assert set(postmaster.uids()) == {int(NOBODY)}
        assert one.leave() == 0
        assert is_gone(Layout.of(home / "data"))


def test_a_user_without_a_name_is_told_so(
    place: Path, client: Callable[..., Any], as_root: None
) -> None:
    folder = installed_in(place / "site")
    home = place / "home"
    home.mkdir()
    os.chown(home, 54321, 54321)  # as containers run with any number
    said = client(home / "data", "--uid", "54321", "--folder", str(folder)).heard()
    assert "no entry in /etc/passwd" in str(said["error"])


def test_data_of_a_normal_user_stays_theirs_when_root_starts_it(
    place: Path, client: Callable[..., Any], as_root: None
) -> None:
    folder = installed_in(place / "site")
    home = place / "home"
    home.mkdir()
    os.chown(home, 1, 1)
    one = client(home / "data", "--uid", "1", "--folder", str(folder))
    one.heard()
    assert one.leave() == 0
    with running(home / "data", options=THROW_AWAY):
        assert psutil.Process(postmaster_id(home / "data")).uids().real == 1
    assert (home / "data").stat().st_uid == 1


def test_data_of_root_is_refused_to_a_normal_user(
    data: Path, client: Callable[..., Any], as_root: None
) -> None:
    with running(data, options=THROW_AWAY):
        said = client(data, "--uid", "1").heard()
        assert "may not be read or written" in str(said["error"])
        assert "run as the user that they belong to" in str(said["error"])


def test_a_squatter_on_the_socket_directory_is_avoided(data: Path, as_root: None) -> None:
    squatted = Path("/tmp") / Layout.of(data).short_name  # noqa: S108
    squatted.mkdir(mode=0o777)
    os.chown(squatted, 1, 1)
    try:
        with running(data, options=THROW_AWAY) as server:
            assert f"{squatted}-2" in server.url
            with running(data) as joined:
                assert joined == server
        assert squatted.is_dir()
        assert not Path(f"{squatted}-2").exists()
    finally:
        squatted.rmdir()


def installed_in(site: Path) -> Path:
    """A copy of the wheel's files, as pip would put them there; returns the programs' folder."""
    folder = wheel_folder()
    if folder is None:
        pytest.skip("there is no wheel of Postgres for this platform")
    package = folder.parents[1]
    site.mkdir()
    for part in (package, package.with_name(package.name + ".libs")):
        if part.is_dir():
            subprocess.run(["/bin/cp", "-a", str(part), str(site)], check=True)
    return site / package.name / folder.relative_to(package)


def postmaster_id(data: Path) -> int:
    told = read_pid_file(Layout.of(data))
    assert told
    return told.pid
