"""Servers on loopback that take their time."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import httpx
import pytest

from core.address import AddressGuard
from core.errors import AddressRefused
from core.http import guarded_client

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_server_that_drips_bytes_does_not_hold_us(listener: Listener) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.02)

    with listener.client(drip, timeout=1, total_seconds=0.3) as client:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            client.get(listener.url)
        assert time.monotonic() - began < 1.5


def test_a_server_that_drips_headers_does_not_hold_us(listener: Listener) -> None:
    def drip(connection: socket.socket) -> None:
        for byte in itertools.chain(b"HTTP/1.1 200 OK\r\n", itertools.repeat(ord("a"), 200)):
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    with (
        listener.client(drip, timeout=1, total_seconds=0.3) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(listener.url)


def test_a_silent_server_runs_into_the_step_timeout(listener: Listener) -> None:
    with (
        listener.client(lambda _: time.sleep(0.6), timeout=0.1) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(listener.url)


def test_only_the_opened_pair_of_this_machine_is_reached(listener: Listener) -> None:
    def hello(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HELLO)

    with listener.client(hello, timeout=2) as client:
        assert client.get(listener.url).text == "hello"
        with pytest.raises(AddressRefused):
            client.get(f"http://127.0.0.1:{listener.port + 1}/")
        with pytest.raises(AddressRefused):
            client.get(f"http://localhost:{listener.port}/")


class Listener:
    """A server of one connection after another, on loopback."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def client(
        self,
        serve: Callable[[socket.socket], None],
        *,
        timeout: float,
        total_seconds: float | None = None,
    ) -> httpx.Client:
        threading.Thread(target=self._serve, args=[serve], daemon=True).start()
        return guarded_client(
            AddressGuard(allow=frozenset({("127.0.0.1", self.port)})),
            timeout=timeout,
            total_seconds=total_seconds,
            max_body_bytes=10_000,
        )

    def _serve(self, serve: Callable[[socket.socket], None]) -> None:
        with suppress(OSError):
            connection, _ = self._socket.accept()
            with closing(connection):
                serve(connection)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as one:
        yield one
