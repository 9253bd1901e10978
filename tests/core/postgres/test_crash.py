"""What is killed with -9, at the worst moment, and what the next start makes of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.errors import DatabaseError
from core.postgres.binaries import candidates, find_binaries
from core.postgres.cluster import running
from core.postgres.identity import server_user
from core.postgres.layout import Layout, State, inspect
from core.postgres.processes import is_gone, live_postmaster, read_pid_file
from core.postgres.waiting import wait_until

THROW_AWAY = {"fsync": "off"}


def test_a_killed_client_leaves_a_server_that_the_next_one_uses_and_stops(
    data: Path, client: Callable[..., Any]
) -> None:
    one = client(data)
    before = one.heard()
    one.kill()
    assert not is_gone(Layout.of(data))
    with running(data, options=THROW_AWAY) as server:
        assert postmaster_id(data) == before["pid"]
        assert answers(server.url)
    assert is_gone(Layout.of(data))


def test_a_killed_client_does_not_take_the_server_from_others(
    data: Path, client: Callable[..., Any]
) -> None:
    one, two = client(data), client(data)
    assert one.heard()["pid"] == two.heard()["pid"]
    one.kill()
    with running(data, options=THROW_AWAY):
        pass
    assert not is_gone(Layout.of(data))
    assert two.leave() == 0
    assert is_gone(Layout.of(data))


def test_a_killed_server_recovers_what_was_committed(data: Path) -> None:
    with running(data) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        kill(postmaster_id(data))
    assert is_gone(Layout.of(data))
    with running(data) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    assert is_gone(Layout.of(data))


def test_a_server_killed_under_others_is_started_again_for_all(
    data: Path, client: Callable[..., Any]
) -> None:
    one = client(data)
    before = one.heard()
    kill(int(str(before["pid"])))
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
        one.process.stdin.write("SELECT 1\n")
        one.process.stdin.flush()
        after = one.heard()
        assert after["pid"] != before["pid"]
        assert after["url"] == before["url"]
    assert one.leave() == 0
    assert is_gone(Layout.of(data))


def test_backends_that_outlive_their_server_do_not_block_the_next_one(
    data: Path, client: Callable[..., Any]
) -> None:
    one = client(data)
    number = int(str(one.heard()["pid"]))
    # A backend in a tight loop does not look whether its postmaster lives.
    one.process.stdin.write("DO $$ BEGIN LOOP END LOOP; END $$\n")
    one.process.stdin.flush()
    busy = busy_backend(number)
    kill(number)
    assert busy.is_running()
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
        assert not busy.is_running() or busy.status() == psutil.STATUS_ZOMBIE
        one.kill()
    assert is_gone(Layout.of(data))


def test_a_pid_file_that_names_a_stranger_is_not_believed(data: Path) -> None:
    written = f"{os.getpid()}\n{data}\n1700000000\n5432\n/tmp/goodname-none\n\n\nready\n"
    (data / "postmaster.pid").write_text(written)
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
    assert psutil.Process().is_running()


def test_a_server_that_hangs_is_replaced_when_nobody_uses_it(
    data: Path, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.postgres.postmaster.PING_SECONDS", 1)
    monkeypatch.setattr("core.postgres.postmaster.SILENCE_SECONDS", 0.5)
    monkeypatch.setattr("core.postgres.postmaster.FAST_STOP_SECONDS", 0.5)
    monkeypatch.setattr("core.postgres.postmaster.IMMEDIATE_STOP_SECONDS", 0.5)
    monkeypatch.setattr("core.postgres.processes.KILL_SECONDS", 1.0)
    one = client(data)
    number = int(str(one.heard()["pid"]))
    os.kill(number, signal.SIGSTOP)
    one.kill()
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
        assert postmaster_id(data) != number


def test_a_server_that_hangs_under_others_is_reported(
    data: Path, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.postgres.postmaster.PING_SECONDS", 1)
    monkeypatch.setattr("core.postgres.postmaster.SILENCE_SECONDS", 0.5)
    one = client(data)
    number = int(str(one.heard()["pid"]))
    os.kill(number, signal.SIGSTOP)
    try:
        with (
            pytest.raises(DatabaseError, match=f"process {number}.*does not answer"),
            running(data),
        ):
            pass
    finally:
        os.kill(number, signal.SIGCONT)
    assert one.leave() == 0


def test_a_directory_deleted_under_a_forgotten_server_is_made_anew(
    data: Path, client: Callable[..., Any]
) -> None:
    one = client(data)
    forgotten = psutil.Process(int(str(one.heard()["pid"])))
    one.kill()
    shutil.rmtree(data)
    shutil.rmtree(Layout.of(data).run)
    try:
        with running(data, options=THROW_AWAY) as server:
            assert answers(server.url)
            assert postmaster_id(data) != forgotten.pid
    finally:
        with suppress(psutil.NoSuchProcess):  # it notices by itself within a minute
            forgotten.send_signal(signal.SIGQUIT)
    assert is_gone(Layout.of(data))
    # Its socket's directory is left, unless it had ended before the new server took the same one.
    shutil.rmtree(Path("/tmp") / Layout.of(data).short_name, ignore_errors=True)  # noqa: S108


def test_a_server_started_by_hand_is_left_alone(data: Path) -> None:
    user, layout = server_user(data), Layout.of(data)
    postgres = find_binaries(user, folders=candidates()).program("postgres")
    command: list[str | Path] = [postgres, "-D", data, "-c", "listen_addresses="]
    command += ["-c", f"unix_socket_directories={data}"]
    by_hand = user.spawn(command, stdout=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: live_postmaster(layout) is not None, timeout_seconds=20)
        said = f"did not start .process {by_hand.pid}.*kill -INT {by_hand.pid}"
        with pytest.raises(DatabaseError, match=said), running(data):
            pass
        assert by_hand.poll() is None
        assert layout.pid_file.exists()
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait(30)


def test_a_creation_cut_off_by_kill_is_done_again(place: Path, client: Callable[..., Any]) -> None:
    data = place / "data"
    one = client(data)
    unfinished = Layout.of(data).unfinished
    assert wait_until((unfinished / "PG_VERSION").exists, timeout_seconds=30)
    one.kill()  # its initdb goes on without it, and must not write into the next attempt
    assert inspect(data) is State.ABSENT
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
    assert not unfinished.exists()


def test_a_start_cut_off_by_kill_is_taken_over(data: Path, client: Callable[..., Any]) -> None:
    one = client(data)
    assert wait_until((data / "postmaster.pid").exists, timeout_seconds=30)
    one.kill()
    with running(data, options=THROW_AWAY) as server:
        assert answers(server.url)
    assert is_gone(Layout.of(data))


def answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def postmaster_id(data: Path) -> int:
    told = read_pid_file(Layout.of(data))
    assert told
    return told.pid


def kill(number: int) -> None:
    """Kill a server and wait until it is dead, zombie or not."""
    process = psutil.Process(number)
    process.kill()
    assert wait_until(
        lambda: not psutil.pid_exists(number) or process.status() == psutil.STATUS_ZOMBIE,
        timeout_seconds=10,
    )


def busy_backend(postmaster: int) -> psutil.Process:
    """The child that does not wait for anything."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for child in psutil.Process(postmaster).children():
            with suppress(psutil.NoSuchProcess):
                if " DO" in " ".join(child.cmdline()):
                    return child
        time.sleep(0.02)
    raise AssertionError("no backend is busy")
