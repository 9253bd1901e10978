"""A small site on loopback that misbehaves in every way that the engine must survive."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Answer = Callable[["Asked"], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came, and the connection to answer it on."""

    path: str
    headers: dict[str, str]
    connection: socket.socket
    at: float
    method: str = "GET"
    body: bytes = b""

    def answer(self, status: str = "200 OK", body: bytes | str = b"", **headers: str) -> None:
        """Send a whole, honest answer; ``Content_Type`` names a header."""
        raw = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)


@dataclass(slots=True)
class Site:
    """What it answers by path, and what it was asked."""

    port: int
    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """As ``settings.crawl.allowed_addresses`` wants it."""
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """What was asked for, robots.txt aside."""
        return [one.path for one in self.asked if one.path != "/robots.txt"]


@contextmanager
def serving(*, certificate: tuple[Path, Path] | None = None) -> Iterator[Site]:
    """A site on a free port; 404 for what it does not know, also robots.txt."""
    listener = socket.create_server(("127.0.0.1", 0))
    site = Site(port=listener.getsockname()[1])
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
    thread = threading.Thread(target=_accept, args=(site, listener, context), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def _accept(site: Site, listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while not site.over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        site.connections += 1
        threading.Thread(target=_serve, args=(site, connection, context), daemon=True).start()


def _serve(site: Site, connection: socket.socket, context: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        connection.settimeout(10)
        secured = context.wrap_socket(connection, server_side=True) if context else connection
        with secured:
            asked = _read(secured)
            if asked is None:
                return
            site.asked.append(asked)
            page = site.pages.get(asked.path.partition("?")[0], not_found)
            page(asked)


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    first, *rest = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)
    }
    body = data.partition(b"\r\n\r\n")[2]
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Asked(path, headers, connection, time.monotonic(), method, body)


def not_found(asked: Asked) -> None:
    asked.answer("404 Not Found", "no such page")


def page(body: bytes | str, **headers: str) -> Answer:
    """A plain page."""
    return lambda asked: asked.answer(body=body, **headers)


def status(line: str, **headers: str) -> Answer:
    """An answer that is no page."""
    return lambda asked: asked.answer(line, "sorry", **headers)


def redirect(to: str) -> Answer:
    return lambda asked: asked.answer("302 Found", "", Location=to)


def posts(*items: tuple[str, str], following: str | None = None, **more: object) -> str:
    """A page that the plain spider of the tests understands."""
    listed = [{"id": id_, "text": text} for id_, text in items]
    return json.dumps({"posts": listed, "next": following} | more)


def conditional(body: str, *, etag: str) -> Answer:
    """A page that knows when nothing has changed."""

    def answer(asked: Asked) -> None:
        if asked.headers.get("if-none-match") == etag:
            asked.answer("304 Not Modified", ETag=etag)
        else:
            asked.answer(body=body, ETag=etag)

    return answer


def truncated(asked: Asked) -> None:
    asked.raw(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"posts": [')


def broken_chunks(asked: Asked) -> None:
    asked.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{")


def closes_at_once(asked: Asked) -> None:
    asked.connection.shutdown(socket.SHUT_RDWR)


def speaks_another_protocol(asked: Asked) -> None:
    asked.raw(b"220 mail.example ESMTP ready\r\n\r\n")


def never_answers(asked: Asked) -> None:
    time.sleep(20)


def drips(asked: Asked) -> None:
    """A body that comes so slowly that it never ends."""
    asked.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        asked.raw(b" ")
        time.sleep(0.1)


def endless(asked: Asked) -> None:
    """A body without an announced end that never stops."""
    asked.raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        asked.raw(b"x" * 65536)


def bomb(asked: Asked) -> None:
    """50 MiB of nothing in 50 kB."""
    asked.answer(body=_BOMB, Content_Encoding="gzip")


def bad_gzip(asked: Asked) -> None:
    asked.answer(body=b"this was never compressed", Content_Encoding="gzip")


def drips_for_ever(asked: Asked) -> None:
    """An answer that is longer than any patience, and says a byte of it now and then."""
    asked.raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        asked.raw(b" ")
        time.sleep(0.1)


_BOMB = gzip.compress(bytes(50 * 1024 * 1024))
