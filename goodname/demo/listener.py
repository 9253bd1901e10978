"""HTTP/1.1 around ``respond``: reads requests, writes answers, notes both in the ledger."""

from __future__ import annotations

import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from core.errors import GoodnameError
from goodname.demo.ledger import Line
from goodname.demo.routes import Demo, is_site, respond
from goodname.demo.web import PLAIN, Request, Response, with_validators

HOST = "127.0.0.1"
MOST_BODY_BYTES = 1_000_000


class PortTaken(GoodnameError):  # noqa: N818 - reads as a fact
    """The demo cannot listen on the port that was asked for."""


def listen(port: int) -> Listener:
    """Take the port on loopback; 0 lets the system choose. Its ``demo`` is set by the caller."""
    try:
        return Listener((HOST, port), _Handler)
    except OSError as error:
        reason = error.strerror or error
        raise PortTaken(f"the demo cannot listen on {HOST}:{port}: {reason}") from None


class Listener(ThreadingHTTPServer):
    """The socket, with a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    demo: Demo
    waits = False  #: for the first look at a site, with which the story begins
    _beginning = threading.Lock()

    def demo_at(self, path: str) -> Demo:
        """The demo as whoever asks for ``path`` finds it."""
        with self._beginning:
            if self.waits and is_site(path):
                self.demo, self.waits = self.demo.begun(), False
            return self.demo

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "GoodnameDemo"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True  # head and body are two packets, and the second must not wait
    server: Listener

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
        request = self._request(body)
        demo = self.server.demo_at(request.path)
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
