"""A running demo whose clock stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from goodname.demo.names import Names
from goodname.demo.posts import Pool, own_pool
from goodname.demo.server import DemoServer

START = datetime(2026, 9, 28, 10, 0, tzinfo=UTC)


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def to(self, seconds: float) -> None:
        """Go to so many seconds after the start."""
        self.now = START + timedelta(seconds=seconds)


Serve = Callable[..., DemoServer]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def serve(clock: HandClock) -> Iterator[Serve]:
    """Start demos that are stopped at the end of the test."""
    running: list[DemoServer] = []

    def start(
        pool: Pool | None = None,
        *,
        names: Names | None = None,
        seed: int = 7,
        waits: bool = False,
    ) -> DemoServer:
        server = DemoServer(pool or own_pool(), names=names, seed=seed, clock=clock, waits=waits)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(serve: Serve) -> DemoServer:
    return serve()


@pytest.fixture
def client(server: DemoServer) -> Iterator[httpx.Client]:
    headers = {"User-Agent": "test-spider"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as one:
        yield one
