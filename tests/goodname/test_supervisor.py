"""The small parts of `up`, with real processes, ports and locks."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import GoodnameError
from goodname.children import Child, Role, cause_of_death, first_dead, stop_all
from goodname.lock import only_one
from goodname.port import free_port, is_served


def _child(code: str) -> Child:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    return Child(Role("test", ()), process)


STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
    " time.sleep(60)"
)


def test_a_child_that_does_not_stop_is_killed_and_named() -> None:
    willing, stubborn = _child("import time; time.sleep(60)"), _child(STUBBORN)
    assert stubborn.process.stdout is not None
    assert willing.process.stdout is not None
    stubborn.process.stdout.readline()
    assert stop_all([willing, stubborn]) == ["test"]
    assert willing.process.returncode == -15
    assert stubborn.process.returncode == -9
    for child in (willing, stubborn):
        assert child.process.stdout is not None
        child.process.stdout.close()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise SystemExit(3)", "ended by itself with exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    ],
)
def test_a_dead_child_says_how_it_died(code: str, cause: str) -> None:
    child = _child(code)
    child.process.wait()
    assert first_dead([child]) is child
    assert cause_of_death(child) == cause
    stop_all([child])
    assert child.process.stdout is not None
    child.process.stdout.close()


def test_a_port_in_use_is_an_error_that_says_what_to_do() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(GoodnameError, match=rf"127.0.0.1:{port}.*GOODNAME_API__PORT"):
            free_port("127.0.0.1", port)
    free_port("127.0.0.1", port)
    assert is_served("127.0.0.1", port) is False


def test_only_one_up_may_hold_a_folder(tmp_path: Path) -> None:
    with only_one(tmp_path / "data"):
        with pytest.raises(GoodnameError, match="runs already"), only_one(tmp_path / "data"):
            raise AssertionError("two held it")
        with only_one(tmp_path / "other"):
            assert (tmp_path / "other.up.lock").exists()
    with only_one(tmp_path / "data"):
        assert (tmp_path / "data.up.lock").exists()
