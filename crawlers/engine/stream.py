"""A WebSocket read like a page: connect, hear what the spider wants of it, and close.

Dialled are the addresses that the guarded look-up gives, and no others: the library's own way to
connect, which follows redirects and asks proxies, is not used. Nothing is compressed, so what is
read is as long as what came.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    SecurityError,
)
from websockets.http11 import Response
from websockets.uri import WebSocketURI, parse_uri

from crawlers.contract import ENDED, FULL, Hear
from crawlers.engine.guard import LookUp
from crawlers.errors import CrawlError, DriftError

#: A page is held in memory and read at once.
LONGEST_PAGE: Final = 4_000_000
_MOST_MESSAGES = 200_000  #: of one page, those passed over included
_CLOSE_SECONDS = 1.0
#: What belongs to the connection, and not to what it said.
_HOP = ("connection", "content-encoding", "content-length", "transfer-encoding", "upgrade")
# It would write into our log what a stranger sent.
_LOG = logging.getLogger("crawlers.engine.stream.websockets")
_LOG.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A page of a stream, or the answer of a site that does not open one."""

    status: int  #: 200 for a stream
    headers: Mapping[str, str]
    body: bytes  #: a message a line
    opened_seconds: float


async def listen(
    url: str,
    *,
    headers: Mapping[str, str],
    hear: Callable[[str], Hear],
    look_up: LookUp,
    seconds: float,
    limit: int,
) -> Heard:
    """Hear a stream at an http(s) address: for ``seconds`` at most, and ``limit`` bytes.

    Raises Scrapy's exceptions where there is no connection, and ``CrawlError`` for a stream that
    says nothing, or nothing that can be read.
    """
    began = time.monotonic()
    connection: ClientConnection | None = None
    try:
        async with asyncio.timeout(seconds):
            place = parse_uri("ws" + url[len("http") :])
            connection = await _dialled(place, look_up, limit=limit)
            await connection.handshake(headers, user_agent_header=None)
        opened = time.monotonic() - began
        page = await _heard_out(connection, hear, seconds=seconds, limit=limit)
        await connection.close()
        told = {"content-type": "application/jsonl; charset=utf-8", ENDED: page.ended}
        answer = {**_plain(connection.response), **told}
        return Heard(status=200, headers=answer, body=page.body(url), opened_seconds=opened)
    except InvalidStatus as refused:
        said, opened = refused.response, time.monotonic() - began
        body = bytes(said.body or b"")[:limit]
        return Heard(
            status=said.status_code, headers=_plain(said), body=body, opened_seconds=opened
        )
    except Exception as error:
        raise _explained(error, url=url) from error
    finally:
        if connection is not None:
            connection.transport.abort()


async def _dialled(place: WebSocketURI, look_up: LookUp, *, limit: int) -> ClientConnection:
    """A connection to the first address that answers; each has passed the guard."""
    found = await asyncio.to_thread(look_up, place.host, place.port, 0, socket.SOCK_STREAM)
    failed: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for address in dict.fromkeys(str(entry[4][0]) for entry in found):
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _connection(place, limit=limit),
                host=address,
                port=place.port,
                ssl=_trust() if place.secure else None,
                server_hostname=place.host if place.secure else None,
            )
        except OSError as error:
            failed = error
        else:
            return connection
    raise failed


class _Connection(ClientConnection):
    """One that ends at once when what comes cannot be read: nobody waits for the other side."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.handshake_exc is not None or self.protocol.parser_exc is not None:
            self.transport.abort()


def _connection(place: WebSocketURI, *, limit: int) -> ClientConnection:
    protocol = ClientProtocol(place, max_size=limit, logger=_LOG)
    return _Connection(protocol, ping_interval=None, close_timeout=_CLOSE_SECONDS)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(slots=True)
class _Page:
    """What was heard so far."""

    kept: list[bytes] = field(default_factory=list)
    size: int = 0
    passed: bytes = b""  #: the last message that the spider did not want
    ended: str = ""
    is_unreadable: bool = False  #: it ended with something that is no message of a stream

    def take(self, message: str, wanted: Hear, *, limit: int) -> bool:
        """Keep a message; whether there may be more."""
        # Between the parts of a JSON document a line may end; within its words it cannot.
        line = message.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
        if wanted is Hear.PASS:
            self.passed = line
            return True
        if self.kept and self.size + len(line) + 1 > limit:
            self.ended = f"{FULL} at {limit} bytes"
            return False
        self.kept.append(line)
        self.size += len(line) + 1
        if wanted is Hear.ENOUGH:
            self.ended = "it was heard up to now"
        return wanted is not Hear.ENOUGH

    def body(self, url: str) -> bytes:
        """The lines; of nothing but what was passed over the last, which says how far it came."""
        if self.kept or self.passed:
            return b"\n".join(self.kept or [self.passed])
        kind = DriftError if self.is_unreadable else CrawlError
        raise kind(f"the stream said nothing that can be read: {self.ended} ({url})")


async def _heard_out(
    connection: ClientConnection, hear: Callable[[str], Hear], *, seconds: float, limit: int
) -> _Page:
    page = _Page(ended=f"{FULL} at {_MOST_MESSAGES} messages")
    try:
        async with asyncio.timeout(seconds):
            for _ in range(_MOST_MESSAGES):
                message = await connection.recv()
                if not isinstance(message, str):
                    page.ended, page.is_unreadable = "it sent bytes where text was expected", True
                    break
                if not page.take(message, hear(message), limit=limit):
                    break
    except TimeoutError:
        page.ended = f"{seconds:g} s were over"
    except ConnectionClosed as closed:
        page.ended, page.is_unreadable = _how_it_closed(closed, limit=limit)
    return page


def _how_it_closed(closed: ConnectionClosed, *, limit: int) -> tuple[str, bool]:
    """In words, and whether it was we who closed, because of what came."""
    if closed.sent is not None and not closed.rcvd_then_sent:
        broken = {1009: f"a message is longer than {limit} bytes", 1007: "a message is no UTF-8"}
        return broken.get(closed.sent.code, "it breaks the rules of WebSockets"), True
    if closed.rcvd is None:
        return "the site closed the connection", False
    reason = "".join(sign if sign.isprintable() else " " for sign in closed.rcvd.reason).strip()
    return f"the site closed it ({closed.rcvd.code}{': ' if reason else ''}{reason})", False


def _explained(error: Exception, *, url: str) -> Exception:
    """An error that ``answers.silence`` has words for."""
    match error:
        case CrawlError():
            return error
        case TimeoutError():
            return DownloadTimeoutError("no whole answer")
        case socket.gaierror():
            return CannotResolveHostError(str(error))
        case ssl.SSLCertVerificationError():
            return CrawlError(f"the TLS certificate is not valid: {error.verify_message} ({url})")
        case ssl.SSLError():
            return CrawlError(f"TLS failed: {error.reason or error} ({url})")
        case ConnectionRefusedError():
            return DownloadConnectionRefusedError(str(error))
        case InvalidMessage() if isinstance(error.__cause__, SecurityError):
            return CrawlError(f"it is no WebSocket: {error.__cause__} ({url})")
        case InvalidMessage() if not isinstance(error.__cause__, EOFError | OSError):
            return CrawlError(f"the answer is no HTTP ({url})")
        case OSError() | InvalidMessage() | ConnectionClosed():
            return DownloadFailedError(str(error))
        case InvalidHandshake():
            return CrawlError(f"it is no WebSocket: {str(error)[:200]} ({url})")
    return error


def _plain(answer: Response | None) -> dict[str, str]:
    """Headers as those of a page."""
    found: dict[str, str] = {}
    pairs: Any = answer.headers.raw_items() if answer is not None else ()
    for name, value in pairs:
        key = name.lower()
        if key not in _HOP and not key.startswith("sec-websocket-"):
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found
