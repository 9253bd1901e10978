"""A worker in a process of its own, with the shipped judge; also the code that it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """One running worker and what it logged."""

    def __init__(self, url: str, settings: dict[str, Any], *, queues: Sequence[str], crash: str):
        env = {k: v for k, v in os.environ.items() if not k.startswith("GOODNAME_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.worker_process", url, json.dumps(settings),
             *queues],
            cwd=ROOT,
            env=env | ({"GOODNAME_CRASH_AT": crash} if crash else {}),
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, event: str, *, seconds: float = 30) -> str:
        """Wait until the worker logged ``event``; the line."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = next((line for line in list(self.lines) if f'"{event}"' in line), None)
            if found:
                return found
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.02)
        raise AssertionError(f"no {event} in:\n" + "\n".join(self.lines[-30:]))

    def stop(self, sign: int = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to end; exit code and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(sign)
        code = self.process.wait(timeout=30)
        return code, time.monotonic() - began

    def close(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait(timeout=10)
        self._reader.join(timeout=10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())


@contextmanager
def worker_process(
    url: str,
    settings: dict[str, Any],
    *,
    queues: Sequence[str] = ("judge", "deliver"),
    crash: str = "",
) -> Iterator[WorkerProcess]:
    """Run a worker while the block runs."""
    worker = WorkerProcess(url, settings, queues=queues, crash=crash)
    try:
        yield worker
    finally:
        worker.close()


def main(url: str, settings: str, *queues: str) -> None:
    """What the process runs."""
    from core.database import Urls
    from core.log import configure_logging
    from core.queue import Queue
    from core.settings import Settings
    from pipeline.worker import run_worker

    configure_logging(level="debug", style="json", process="worker")
    run_worker(
        Settings.model_validate(json.loads(settings)),
        Urls(owner=url, app=url),
        queues=[Queue(one) for one in queues],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
