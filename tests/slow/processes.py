"""Run Goodname's own processes for a proof, on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(*arguments: str, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `goodname …`, in a session of its own, writing to ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "goodname", *arguments],
            cwd=ROOT,
            env={**_clean(os.environ), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until(
    is_so: Callable[[], object], *, seconds: float, what: str, log: Path | None = None
) -> None:
    """Wait for a condition; fail with what was waited for and the end of the log."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log else ""
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{tail}")
        time.sleep(0.1)


def _clean(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith("GOODNAME_")}
