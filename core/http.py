"""HTTP to addresses that others chose: nothing internal is reached, nothing endless is read.

Every TCP connection of such a client goes through `AddressGuard`: the name is resolved here, all
of its addresses are checked, and a checked address is dialled. So neither a redirect nor a name
that resolves differently the next time leads inside. TLS is still verified against the name.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from core.address import AddressGuard
from core.body import CappedBody
from core.deadline import DeadlineStream, time_left

#: From host and port to addresses, best first; raises ``OSError`` where there are none.
Resolve = Callable[[str, int], Sequence[str]]


def resolve_by_system(host: str, port: int) -> list[str]:
    """What the system's resolver says; a zone stays on the address, for the guard to see."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedClient(httpx.Client):
    """A client that refuses a URL as it was written, before anything of it is repaired."""

    def __init__(self, guard: AddressGuard, **settings: Any) -> None:
        super().__init__(**settings)
        self._guard = guard

    def build_request(self, method: str, url: httpx.URL | str, **content: Any) -> httpx.Request:
        """Raises ``AddressRefused``."""
        self._guard.check_url(str(url))
        return super().build_request(method, url, **content)


def guarded_client(
    guard: AddressGuard,
    *,
    timeout: float,
    max_body_bytes: int,
    total_seconds: float | None = None,
    user_agent: str = "Goodname",
    ssl_context: ssl.SSLContext | None = None,
    resolve: Resolve = resolve_by_system,
    backend: httpcore.NetworkBackend | None = None,
) -> httpx.Client:
    """A client for URLs from outside; close it after use.

    ``timeout`` is for each step (connecting, one read), ``total_seconds`` for one request with its
    whole answer (default: three times the step), so that a server that drips bytes holds nobody.
    Answers above ``max_body_bytes``, packed or unpacked, raise ``BodyTooLarge`` while they are
    read. A refused address raises ``AddressRefused``. Redirects are not followed, unless a request
    asks for it; every hop is checked. Proxies and other settings of the environment do not count.
    """
    transport = _GuardedTransport(
        guard,
        backend=_GuardedBackend(
            guard,
            resolve=resolve,
            total_seconds=3 * timeout if total_seconds is None else total_seconds,
            inner=backend or httpcore.SyncBackend(),
        ),
        ssl_context=ssl_context or httpx.create_ssl_context(trust_env=False),
        max_body_bytes=max_body_bytes,
    )
    return GuardedClient(
        guard,
        transport=transport,
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        max_redirects=5,
        headers={"User-Agent": user_agent, "Accept-Encoding": "gzip", "Connection": "close"},
    )


class _GuardedTransport(httpx.HTTPTransport):
    def __init__(
        self,
        guard: AddressGuard,
        *,
        backend: httpcore.NetworkBackend,
        ssl_context: ssl.SSLContext,
        max_body_bytes: int,
    ) -> None:
        super().__init__(verify=ssl_context, trust_env=False)
        self._guard = guard
        self._max_body_bytes = max_body_bytes
        # httpx has no argument for the backend. No connection is kept for a second request: each
        # one is resolved and checked anew, and has its own deadline.
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context, max_keepalive_connections=0, network_backend=backend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._guard.check_url(str(request.url))
        return CappedBody.cap(super().handle_request(request), self._max_body_bytes)


class _GuardedBackend(httpcore.NetworkBackend):
    """Resolves, checks every address, and dials the checked address itself."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        resolve: Resolve,
        total_seconds: float,
        inner: httpcore.NetworkBackend,
    ) -> None:
        self._guard = guard
        self._resolve = resolve
        self._total_seconds = total_seconds
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        ends_at = time.monotonic() + self._total_seconds
        failure: Exception | None = None
        for address in self._guard.check_addresses(host, port, self._addresses(host, port)):
            left = time_left(ends_at, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream, ends_at=ends_at)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        try:
            return self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
