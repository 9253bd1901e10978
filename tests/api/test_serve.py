from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.serve import bind, run_api
from core.database import Urls
from core.errors import DatabaseError, GoodnameError
from core.settings import ApiSection, Settings

PROGRAM = """
import sys
from api.serve import run_api
from core.database import Urls
from core.settings import ApiSection, Settings
run_api(
    Settings(api=ApiSection(port=0)),
    Urls(owner=sys.argv[1], app=sys.argv[1]),
    on_ready=lambda url: print(url, flush=True),
)
print("clean end", flush=True)
"""


@pytest.fixture
def process(database_url: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, database_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    yield started
    if started.poll() is None:
        started.kill()
    started.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("http://"):
            return line.strip()
    raise AssertionError("the API never became ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly_also_with_a_call_in_flight(
    process: subprocess.Popen[str], number: int
) -> None:
    url = address_of(process)
    assert httpx.get(f"{url}/v1/health").status_code == 200
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        # A request whose body never comes must not hold the process.
        half.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nkey=")
        time.sleep(0.1)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5
    assert process.stdout is not None
    assert "clean end" in process.stdout.read()


def test_a_taken_port_is_told_before_anything_else_happens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        nowhere = "postgresql://nobody@/none?host=/nonexistent"
        with pytest.raises(GoodnameError, match=f"127.0.0.1:{port}.*port"):
            run_api(Settings(api=ApiSection(port=port)), Urls(owner=nowhere, app=nowhere))


def test_a_host_that_is_not_ours_is_told() -> None:
    with pytest.raises(GoodnameError, match="cannot listen on"):
        bind("203.0.113.7", 0)


def test_a_database_that_is_away_is_told() -> None:
    nowhere = "postgresql://nobody@/none?host=/nonexistent"
    with pytest.raises(DatabaseError, match="cannot reach the database"):
        run_api(Settings(api=ApiSection(port=0)), Urls(owner=nowhere, app=nowhere))
