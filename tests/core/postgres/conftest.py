"""Clusters for tests: made once, copied, run by processes that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from core.postgres.cluster import running
from core.postgres.layout import Layout
from core.postgres.processes import clear_away, is_gone
from core.postgres.waiting import wait_until

REPOSITORY = Path(__file__).parents[3]
THROW_AWAY = {"fsync": "off"}


class Client:
    """Another process that uses the server, and can be killed while it does."""

    def __init__(self, data: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("client.py")), str(data), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
            start_new_session=True,
        )

    def heard(self) -> dict[str, object]:
        """What it says next: where the server is, or the error."""
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        said: dict[str, object] = json.loads(line)
        return said

    def leave(self) -> int:
        """Let it come to its end, and wait for that."""
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Start clients; those that a failed test leaves are ended."""
    started: list[Client] = []

    def start(data: Path, *options: str) -> Client:
        started.append(Client(data, *options))
        return started[-1]

    yield start
    for one in started:
        with suppress(OSError, ValueError):
            one.kill()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may walk to, unlike pytest's own under a private root."""
    memory = Path("/dev/shm")  # noqa: S108
    base = memory if os.access(memory, os.W_OK | os.X_OK) else Path("/tmp")  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="gn-", dir=base))
    folder.chmod(0o755)
    yield folder
    for lock in folder.rglob("*.run/server.lock"):
        _end(Layout(lock.parent.with_suffix("")))
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster, to be copied: making one costs a second."""
    data = tmp_path_factory.mktemp("made") / "data"
    with running(data, options=THROW_AWAY):
        pass
    return data


@pytest.fixture
def data(place: Path, made_once: Path) -> Path:
    """The data directory of a complete cluster that is not running."""
    copied = place / "data"
    subprocess.run(["/bin/cp", "-a", str(made_once), str(copied)], check=True)
    return copied


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the server changes its user only then")


def _end(layout: Layout) -> None:
    """End what a failed test left, so that the next ones start clean."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and layout.data.samefile(process.cwd()):
                process.kill()
    assert wait_until(lambda: is_gone(layout), timeout_seconds=10)
    clear_away(layout)
