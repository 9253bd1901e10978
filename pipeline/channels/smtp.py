"""SMTP that ends at a time, however busy the server looks until then."""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_SHORTEST_SECONDS = 0.001
#: So much goes over an encrypted connection in one step.
_PIECE = 16_384


class DeadlineSMTP(smtplib.SMTP):
    """Gives each step what is left until the deadline, connecting included.

    A timeout for each step alone lets a server hold a sending for hours, with a byte now and then.
    """

    def __init__(
        self, host: str, port: int, *, timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls  #: of a server that is spoken to in TLS from the first byte
        if tls is not None:
            self.default_port = smtplib.SMTP_SSL_PORT
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """The connection, as smtplib asks for it: the time begins."""
        self._ends_at = time.monotonic() + timeout
        connected = _reached(host, port, ends_at=self._ends_at)
        if self._tls is None:
            return connected
        connected.settimeout(_left(self._ends_at))
        return self._tls.wrap_socket(connected, server_hostname=host)

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None and self.file is None:
            self.file = io.BufferedReader(_Replies(self.sock, ends_at=self._ends_at))
        reply = super().getreply()
        if self.sock is not None:
            # For the handshake of STARTTLS, which takes the timeout as it finds it.
            self.sock.settimeout(max(self._ends_at - time.monotonic(), _SHORTEST_SECONDS))
        return reply

    def send(self, s: ReadableBuffer | str) -> None:
        said = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        for start in range(0, len(said), _PIECE):
            if self.sock is not None:
                self.sock.settimeout(_left(self._ends_at))
            super().send(said[start : start + _PIECE])

    def __exit__(self, *_: object) -> None:
        """Say goodbye; what the server answers to that takes back no mail that it accepted."""
        with suppress(smtplib.SMTPException, OSError):
            self.quit()
        self.close()


class _Replies(io.RawIOBase):
    """What the server says, byte by byte if it likes, until the deadline."""

    def __init__(self, connected: socket.socket, *, ends_at: float) -> None:
        self._connected = connected
        self._ends_at = ends_at  #: by `time.monotonic`

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connected.settimeout(_left(self._ends_at))
        return self._connected.recv_into(buffer)


def _reached(host: str, port: int, *, ends_at: float) -> socket.socket:
    """Connect to the first address that answers; each gets its share of the time that is left."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed = OSError(f"{host} has no address")
    for place, (*_, address) in enumerate(addresses):
        try:
            share = _left(ends_at) / (len(addresses) - place)
            return socket.create_connection((str(address[0]), port), timeout=share)
        except OSError as error:
            failed = error
    raise failed


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the whole sending took too long")
    return left
