"""A network stream that ends at a time, however busy it looks until then."""

from __future__ import annotations

import ssl
import time
from typing import Any

import httpcore


class DeadlineStream(httpcore.NetworkStream):
    """Passes everything on, with timeouts that never reach beyond the deadline.

    A timeout for each read alone lets a server hold a worker for hours, with a byte now and then.
    """

    def __init__(self, stream: httpcore.NetworkStream, *, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at  #: by `time.monotonic`

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, time_left(self._ends_at, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, time_left(self._ends_at, timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = time_left(self._ends_at, timeout, httpcore.ConnectTimeout)
        secured = self._stream.start_tls(ssl_context, server_hostname, left)
        return DeadlineStream(secured, ends_at=self._ends_at)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def time_left(
    ends_at: float, timeout: float | None, expired: type[httpcore.TimeoutException]
) -> float:
    """The timeout of the next step; raises ``expired`` when the deadline is past."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise expired("the whole exchange took too long")
    return left if timeout is None else min(timeout, left)
