"""The processes that `up` starts, watches and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

STOP_SECONDS = 5.0
#: Left for killing and reaping what did not stop by itself, inside ``STOP_SECONDS``.
_KILL_AFTER = 4.0


@dataclass(frozen=True, slots=True)
class Role:
    """One process of an installation."""

    name: str
    arguments: tuple[str, ...]  #: of ``python -m goodname``


PAGE = Role("api", ("api",))
REST = (
    Role("crawl", ("worker", "--queue", "crawl")),
    Role("judge", ("worker", "--queue", "judge")),
    Role("deliver", ("worker", "--queue", "deliver")),
    Role("scheduler", ("scheduler",)),
)


@dataclass(frozen=True, slots=True)
class Child:
    """A started process."""

    role: Role
    process: subprocess.Popen[bytes]


class Crew:
    """The page first, alone, so that people can look while the rest is starting."""

    def __init__(self, *, env: Mapping[str, str]) -> None:
        self._env = env
        self.children: list[Child] = []

    def start_page(self) -> None:
        """Start the API and the page."""
        self.children.append(start(PAGE, env=self._env))

    def start_rest(self) -> None:
        """Start what is not there yet."""
        there = {child.role for child in self.children}
        self.children += [start(role, env=self._env) for role in REST if role not in there]


def start(role: Role, *, env: Mapping[str, str]) -> Child:
    """Start a role in a session of its own: a Ctrl-C reaches `up` alone, which then asks all.

    It holds the other end of the child's standard input, so that the child notices when `up`
    is gone, however it went.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "goodname", *role.arguments],
        stdin=subprocess.PIPE,
        env={**os.environ, **env, "GOODNAME_SUPERVISED": "1"},
        start_new_session=True,
    )
    return Child(role, process)


def first_dead(children: Sequence[Child]) -> Child | None:
    """The first child that has ended, if any has."""
    return next((child for child in children if child.process.poll() is not None), None)


def cause_of_death(child: Child) -> str:
    """Say how a process ended, in words."""
    status = child.process.returncode
    if status is not None and status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"ended by itself with exit status {status}"


def stop_all(children: Sequence[Child]) -> list[str]:
    """Ask all to stop, kill the stragglers with all that they started; return who was killed."""
    for child in children:
        with suppress(ProcessLookupError):
            child.process.terminate()
    deadline = time.monotonic() + _KILL_AFTER
    killed = []
    for child in children:
        try:
            child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed.append(child.role.name)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        if child.process.stdin:
            child.process.stdin.close()
    return killed
