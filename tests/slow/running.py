"""`goodname up` as a person starts it, for proofs that watch it from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"gn_[A-Za-z0-9_-]+")
ADDRESS = re.compile(r"invented internet is at (http://\S+)")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Up:
    """One `goodname up`, its output and its API."""

    folder: Path
    options: Sequence[str] = ()
    key: str = ""
    port: int = field(default_factory=free_port)
    lines: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "goodname", "up", *self.options],
            cwd=ROOT,
            env=self._env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGTERM)
        self._reader.join(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "".join(self.lines)

    @property
    def world_url(self) -> str:
        """Where the invented internet is."""
        found = ADDRESS.search(self.output)
        assert found, self.output
        return found[1]

    def wait_ready(self, *, seconds: float = 60) -> float:
        """Wait until it says that it is ready; the seconds since the start."""
        self.wait_for("ready after", seconds=seconds)
        if found := KEY.search(self.output):
            self.key = found[0]
        return time.monotonic() - self.began

    def wait_for(self, words: str, *, seconds: float) -> None:
        """Wait until it prints some words."""
        deadline = time.monotonic() + seconds
        while words not in self.output:
            assert time.monotonic() < deadline, f"no {words!r} in {seconds} s:\n{self.output}"
            assert self.process.poll() is None, f"it ended:\n{self.output}"
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        """Ask the API with the first key."""
        return get_json(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.key}"}
        )

    def get_or(self, path: str, otherwise: Any) -> Any:
        """Ask the API, which may be without its database for a moment."""
        try:
            return self.get(path)
        except OSError:
            return otherwise

    def stop(self, number: signal.Signals) -> float:
        """Send a signal to the process, as a terminal or a service manager does; the seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        return time.monotonic() - began

    def _env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GOODNAME_") and name != "DATABASE_URL"
        }
        return kept | {
            "GOODNAME_DATABASE__DATA_DIR": str(self.folder),
            "GOODNAME_API__PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)


def get_json(url: str, *, headers: Mapping[str, str] | None = None) -> Any:
    """GET and parse."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def descendants_naming(folder: Path) -> list[str]:
    """Command lines of living processes that carry ``folder`` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            env = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder).encode() in env + command.encode() and state != "Z":
            found.append(command)
    return found
