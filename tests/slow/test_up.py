"""`goodname up` from outside: stops cleanly however it is told, and finds everything again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.slow.running import Up, descendants_naming

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_within_five_seconds_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Up(tmp_path / "data", ["--demo"]) as up:
        ready = up.wait_ready()
        up.wait_for("alert", seconds=30)
        took = up.stop(number)
        print(f"ready after {ready:.1f} s, {number.name} ended it in {took:.1f} s")  # noqa: T201
    assert up.process.returncode == 0, up.output
    assert took < 5
    assert "process_killed" not in up.output
    assert descendants_naming(tmp_path / "data") == []


def test_a_second_start_finds_everything_and_shows_no_key_again(tmp_path: Path) -> None:
    with Up(tmp_path / "data", ["--demo", "--seed=3"]) as first:
        first.wait_ready()
        before = _wait_for_alert(first)
        key = first.key
    with Up(tmp_path / "data", ["--demo", "--seed=3"], key=key) as second:
        second.wait_ready()
        assert "first admin key" not in second.output
        after = {alert["id"] for alert in second.get("/v1/alerts")["items"]}
    assert before <= after


def test_a_dead_child_is_named_and_all_is_stopped(tmp_path: Path) -> None:
    with Up(tmp_path / "data", ["--demo"]) as up:
        up.wait_ready()
        judge = next(
            child
            for child in psutil.Process(up.process.pid).children()
            if child.cmdline()[-2:] == ["--queue", "judge"]
        )
        judge.kill()
        up.process.wait(timeout=10)
    assert up.process.returncode == 1
    assert "judge" in up.output
    assert "killed by SIGKILL" in up.output
    assert descendants_naming(tmp_path / "data") == []


def test_when_up_itself_is_killed_its_children_end_too(tmp_path: Path) -> None:
    with Up(tmp_path / "data", ["--demo"]) as up:
        up.wait_ready()
        up.process.kill()
        up.process.wait()
        deadline = time.monotonic() + 15
        while left := _ours(tmp_path / "data"):
            assert time.monotonic() < deadline, left
            time.sleep(0.2)
    with Up(tmp_path / "data", ["--demo"]) as again:
        again.wait_ready()


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with Up(tmp_path / "a", ["--demo"]) as first:
        first.wait_ready()
        with Up(tmp_path / "b", port=first.port) as second:
            second.process.wait(timeout=20)
        assert second.process.returncode == 1
        assert f"cannot listen on 127.0.0.1:{first.port}" in second.output
        with Up(tmp_path / "a", ["--demo"]) as third:
            third.process.wait(timeout=20)
        assert "runs already" in third.output


def _wait_for_alert(up: Up) -> set[str]:
    deadline = time.monotonic() + 30
    while not (items := up.get("/v1/alerts")["items"]):
        assert time.monotonic() < deadline, up.output
        time.sleep(0.3)
    return {alert["id"] for alert in items}


def _ours(folder: Path) -> list[str]:
    """Our processes; the database outlives a killed owner and is found again."""
    return [line for line in descendants_naming(folder) if "goodname" in line]


def test_a_database_that_is_killed_is_started_again_and_the_work_goes_on(tmp_path: Path) -> None:
    with Up(tmp_path / "data", ["--demo", "--seed=4"]) as up:
        up.wait_ready()
        before = len(_wait_for_alert(up))
        pid = int((tmp_path / "data" / "demo" / "postmaster.pid").read_text().split()[0])
        psutil.Process(pid).kill()
        up.wait_for("database_back", seconds=20)
        deadline = time.monotonic() + 60
        while len(up.get_or("/v1/alerts", {"items": []})["items"]) <= before:
            assert time.monotonic() < deadline, up.output
            time.sleep(0.5)
        assert up.process.poll() is None
    assert up.process.returncode == 0, up.output
    assert descendants_naming(tmp_path / "data") == []
