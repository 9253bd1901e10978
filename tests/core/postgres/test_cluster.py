"""The embedded database as everyone uses it."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.errors import DatabaseError
from core.postgres.cluster import Server, running
from core.postgres.layout import Layout
from core.postgres.processes import is_gone, read_pid_file

THROW_AWAY = {"fsync": "off"}


def test_a_fresh_directory_gets_a_database_that_the_owner_may_use(place: Path) -> None:
    with running(place / "data", options=THROW_AWAY) as server:
        assert server.data_dir == place / "data"
        assert ask(
            server.url,
            "SELECT current_user, current_database(), rolcanlogin, rolcreaterole, rolcreatedb,"
            " rolsuper, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datctype"
            " FROM pg_roles, pg_database WHERE rolname = current_user"
            " AND datname = current_database()",
        ) == ("goodname", "goodname", True, True, True, False, "goodname", "UTF8", "C.UTF-8")
        assert ask(server.url, "CREATE TABLE kept (word text); SELECT lower('ŁÓDŹ')") == ("łódź",)
        assert ask(
            server.superuser_url,
            "SELECT current_database(), rolsuper FROM pg_roles WHERE rolname = current_user",
        ) == ("goodname", True)


def test_committed_work_survives_a_power_cut_by_default(data: Path) -> None:
    with running(data) as server:
        assert setting(server, "fsync") == "on"
        assert setting(server, "synchronous_commit") == "on"
        assert setting(server, "full_page_writes") == "on"


def test_nobody_reaches_the_server_over_the_network(data: Path) -> None:
    with running(data, options=THROW_AWAY) as server:
        assert setting(server, "listen_addresses") == ""
        socket_dir = Path(setting(server, "unix_socket_directories").strip('"'))
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        postmaster = psutil.Process(postmaster_id(data))
        assert not postmaster.net_connections(kind="inet")


def test_options_are_passed_to_the_server(data: Path) -> None:
    with running(data, options={**THROW_AWAY, "work_mem": "12MB"}) as server:
        assert setting(server, "work_mem") == "12MB"
        assert setting(server, "max_connections") == "200"


def test_a_second_run_finds_what_the_first_one_kept(data: Path) -> None:
    with running(data, options=THROW_AWAY) as server:
        ask(server.url, "CREATE TABLE kept AS SELECT 'parcel' AS word; SELECT 1")
    with running(data, options=THROW_AWAY) as server:
        assert ask(server.url, "SELECT word FROM kept") == ("parcel",)


def test_the_address_stays_the_same_over_restarts(data: Path) -> None:
    with running(data, options=THROW_AWAY) as before:
        pass
    with running(data, options=THROW_AWAY) as after:
        assert after == before


def test_nothing_is_left_after_the_last_one_went(data: Path) -> None:
    with running(data, options=THROW_AWAY) as server:
        socket_dir = Path(setting(server, "unix_socket_directories").strip('"'))
        number = postmaster_id(data)
    assert is_gone(Layout.of(data))
    assert not psutil.pid_exists(number), "not even a zombie"
    assert not socket_dir.exists()
    assert not (data / "postmaster.pid").exists()


def test_the_server_stops_with_the_last_of_its_users(data: Path) -> None:
    with running(data, options=THROW_AWAY) as outer:
        with running(data, options=THROW_AWAY) as inner:
            assert inner == outer
        assert ask(outer.url, "SELECT 1") == (1,)
    assert is_gone(Layout.of(data))


def test_an_error_of_the_user_passes_and_the_server_stops(data: Path) -> None:
    with pytest.raises(OSError, match="mine"), running(data, options=THROW_AWAY):
        raise OSError("mine")
    assert is_gone(Layout.of(data))


def test_open_connections_do_not_keep_it_from_stopping(data: Path) -> None:
    with running(data, options=THROW_AWAY) as server:
        held = psycopg.connect(server.url)
        held.execute("SELECT 1")
    assert is_gone(Layout.of(data))
    held.close()


def test_a_long_path_does_not_matter(place: Path, data: Path) -> None:
    deep = place.joinpath(*["a-rather-long-name-of-a-folder"] * 5)
    deep.mkdir(parents=True)
    moved = data.rename(deep / "data")
    assert len(str(moved)) > 150
    with running(moved, options=THROW_AWAY) as server:
        assert ask(server.url, "SELECT 1") == (1,)


def test_blanks_quotes_and_letters_in_the_path_do_not_matter(place: Path, data: Path) -> None:
    (place / "Mój 'dysk' %41").mkdir()
    moved = data.rename(place / "Mój 'dysk' %41" / "dane")
    with running(moved, options=THROW_AWAY) as server:
        assert ask(server.url, "SELECT 1") == (1,)


def test_two_directories_have_two_servers_at_once(place: Path, data: Path) -> None:
    with (
        running(data, options=THROW_AWAY) as one,
        running(place / "other", options=THROW_AWAY) as two,
    ):
        ask(one.url, "CREATE TABLE only_here (); SELECT 1")
        assert ask(two.url, "SELECT to_regclass('only_here')") == (None,)
        assert postmaster_id(data) != postmaster_id(place / "other")


def test_variables_of_another_postgres_do_not_lead_astray(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PGPORT", "1"), ("PGDATA", "/nowhere"), ("PGUSER", "x"), ("PGHOST", "/")):
        monkeypatch.setenv(name, value)
    with running(data, options=THROW_AWAY) as server:
        assert ask(server.url, "SELECT current_user") == ("goodname",)


def test_our_secrets_are_not_in_the_environment_of_the_server(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODNAME_SMTP_PASSWORD", "canary")
    with running(data, options=THROW_AWAY):
        assert "canary" not in psutil.Process(postmaster_id(data)).environ().values()


def test_four_processes_share_one_fresh_directory(place: Path, client: Callable[..., Any]) -> None:
    clients = [client(place / "data") for _ in range(4)]
    assert len({one.heard()["pid"] for one in clients}) == 1
    for one in clients[:3]:
        assert one.leave() == 0
        assert not is_gone(Layout.of(place / "data"))
    assert clients[3].leave() == 0
    assert is_gone(Layout.of(place / "data"))


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(
    data: Path, client: Callable[..., Any]
) -> None:
    one = client(data, "--ignore-interrupt")
    before = one.heard()["pid"]
    os.killpg(one.process.pid, signal.SIGINT)  # what a terminal does
    one.process.stdin.write("SELECT pg_sleep(0.2)\n")
    one.process.stdin.flush()
    assert one.heard()["pid"] == before
    assert one.leave() == 0


def test_ctrl_c_ends_client_and_server(data: Path, client: Callable[..., Any]) -> None:
    one = client(data)
    one.heard()
    os.killpg(one.process.pid, signal.SIGINT)
    one.leave()
    assert is_gone(Layout.of(data))


def test_a_wrong_option_is_named(data: Path) -> None:
    with (
        pytest.raises(
            DatabaseError, match=r"option has a name that PostgreSQL does not know.*colour"
        ),
        running(data, options={"colour": "red"}),
    ):
        pass
    assert is_gone(Layout.of(data))


def ask(url: str, statement: str) -> tuple[Any, ...] | None:
    """The first row of the last result."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        while cursor.nextset():
            pass
        return cursor.fetchone()


def setting(server: Server, name: str) -> str:
    found = ask(server.superuser_url, f"SHOW {name}")
    assert found
    return str(found[0])


def postmaster_id(data: Path) -> int:
    told = read_pid_file(Layout.of(data))
    assert told
    return told.pid
