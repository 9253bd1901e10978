"""``python -m goodname.demo.server``: the invented internet in a process of its own.

It prints its address as one JSON line on stdout and stops on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from core.errors import GoodnameError
from goodname.demo.inbox import Inbox
from goodname.demo.ledger import Ledger, Line
from goodname.demo.names import Names
from goodname.demo.page import Place
from goodname.demo.posts import Pool, own_pool, pool_from
from goodname.demo.routes import Demo, respond
from goodname.demo.timeline import plan
from goodname.demo.web import PLAIN, Request, Response, with_validators
from goodname.demo.world import Clock, World

HOST = "127.0.0.1"
MOST_BODY_BYTES = 1_000_000


class PortTaken(GoodnameError):  # noqa: N818 - reads as a fact
    """The demo cannot listen on the port that was asked for."""


class DemoServer:
    """A running demo; also a context manager, so that a test can hold one in a thread."""

    def __init__(
        self,
        pool: Pool,
        *,
        names: Names | None = None,
        seed: int = 7,
        speed: float = 1.0,
        port: int = 0,
        clock: Clock,
    ) -> None:
        self._http = _listen(port)
        world = World(
            names=names or Names(),
            entries=plan(pool, seed=seed),
            started_at=clock(),
            clock=clock,
            speed=speed,
        )
        self.demo = Demo(
            place=Place(world=world, base_url=f"http://{HOST}:{self.port}"),
            ledger=Ledger(),
            inbox=Inbox(),
        )
        self._http.demo = self.demo
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="demo"
        )

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The address of the start page, without a slash at the end."""
        return self.demo.place.base_url

    def start(self) -> None:
        """Serve in a thread until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; answers that are under way are cut off."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    demo: Demo

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GoodnameDemo"
    sys_version = ""
    timeout = 30
    server: _Http

    def do_GET(self) -> None:
        self._answer(b"")

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > 9 or int(length) > MOST_BODY_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._answer(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """The ledger is our log."""

    def _answer(self, body: bytes) -> None:
        demo = self.server.demo
        request = self._request(body)
        response = with_validators(respond(request, demo), request, now=demo.now)
        self._write(response)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # the body was not read, so nothing after it can be
        self._write(Response(status=status, content_type=PLAIN, headers={"Connection": "close"}))

    def _request(self, body: bytes) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _write(self, response: Response) -> None:
        self._note(response)  # first, so that whoever has the answer finds its line
        self.send_response(response.status)
        has_body = response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body:
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'self'")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)

    def _note(self, response: Response) -> None:
        demo = self.server.demo
        demo.ledger.note(
            Line(
                at=demo.now,
                method=self.command,
                path=self.path,
                user_agent=self.headers.get("User-Agent", ""),
                status=response.status.value,
                posts=() if self.command == "HEAD" else response.posts,
            )
        )


def _listen(port: int) -> _Http:
    try:
        return _Http((HOST, port), _Handler)
    except OSError as error:
        reason = error.strerror or error
        raise PortTaken(f"the demo cannot listen on {HOST}:{port}: {reason}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, or until the parent is gone with ``--with-parent``."""
    given = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    try:
        server = DemoServer(
            pool_from(given.texts) if given.texts else own_pool(),
            names=Names.given(given.brand, given.rival),
            seed=seed,
            speed=given.speed,
            port=given.port,
            clock=lambda: datetime.now(UTC),
        )
    except GoodnameError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with server:
        _announce(server, seed=seed)
        _wait(stop, parent=os.getppid() if given.with_parent else None)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m goodname.demo.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--seed", type=int, help="order, places and ids; drawn when not given")
    parser.add_argument("--brand", help="another name for the brand, used uninflected")
    parser.add_argument("--rival", help="another name for the rival, used uninflected")
    parser.add_argument("--texts", type=Path, help="a JSON file that replaces the texts")
    parser.add_argument("--speed", type=_positive, default=1.0, help="2 tells all twice as fast")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1000")
    return value


def _announce(server: DemoServer, *, seed: int) -> None:
    names = server.demo.place.world.names
    line = {
        "url": server.url,
        "host": HOST,
        "port": server.port,
        "pid": os.getpid(),
        "seed": seed,
        "brand": names.brand.nominative,
        "rival": names.rival.nominative,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _wait(stop: threading.Event, *, parent: int | None) -> None:
    while not stop.wait(1.0):
        if parent is not None and os.getppid() != parent:
            return


if __name__ == "__main__":
    sys.exit(main())
