"""The outermost layer: who comes in when, safe headers, a problem instead of a stack trace."""

from __future__ import annotations

import asyncio
import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, problem_response

log = structlog.get_logger()

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")

#: For HTML: our own files only; no inline script or style, no frames, forms only to ourselves.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# What is left of the body will not be read.
_CLOSE = {"Connection": "close"}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it a browser calls the origin of our own forms "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Edge:
    """Plain ASGI, because the hot list passes through it.

    A request comes in once its body is here and a place is free. Were there more places than
    connections to the database, those that wait for one could take every thread, and those that
    hold one would get none to go on with.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, places: int) -> None:
        self._app, self._max_body_bytes = app, max_body_bytes
        self._places = asyncio.Semaphore(places)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _request_id(scope)
        started = time.perf_counter()
        exchange = _Exchange(scope, receive, send)
        try:
            if await self._may_come_in(exchange):
                await self._app(scope, exchange.receive, exchange.send)
        except Problem as refusal:
            await exchange.answer(refusal)
        except Exception:
            log.exception("request_failed", path=scope["path"], request_id=scope["request_id"])
            if exchange.status:
                raise
            await exchange.answer(_BROKEN)
        finally:
            exchange.leave()
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            request_id=scope["request_id"],
        )

    async def _may_come_in(self, exchange: _Exchange) -> bool:
        if not await exchange.read_body(max_bytes=self._max_body_bytes):
            return False
        return not _needs_database(exchange.scope["path"]) or await exchange.enter(self._places)


class _Exchange:
    """One request and its answer: takes the body in whole, marks what goes out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._body: Message | None = None
        self._place: asyncio.Semaphore | None = None
        self.status = 0

    async def read_body(self, *, max_bytes: int) -> bool:
        """Wait for the whole body; False when the client goes away before its end."""
        body, is_more = bytearray(), True
        while is_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return False
            body += message.get("body", b"")
            if len(body) > max_bytes:
                raise Problem(413, "too-large", "The body is larger than 1 MiB.", headers=_CLOSE)
            is_more = message.get("more_body", False)
        self._body = {"type": "http.request", "body": bytes(body), "more_body": False}
        return True

    async def enter(self, places: asyncio.Semaphore) -> bool:
        """Wait in line for a place; False when the client did not wait as long."""
        is_full = places.locked()
        await places.acquire()
        self._place = places
        return not (is_full and await Request(self.scope, self._receive).is_disconnected())

    def leave(self) -> None:
        """Give the place to the next in line; a second time changes nothing."""
        if self._place is not None:
            self._place.release()
            self._place = None

    async def receive(self) -> Message:
        if self._body is None:
            return await self._receive()
        message, self._body = self._body, None
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # The transaction has ended; a client that reads slowly keeps nobody waiting.
            self.leave()
            self.status = message["status"]
            _add_headers(MutableHeaders(scope=message), self.scope["request_id"])
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        response = problem_response(problem, request_id=self.scope["request_id"])
        await response(self.scope, self._receive, self.send)


_BROKEN = Problem(500, "internal", "Something broke here; the log has the details.")


def _needs_database(path: str) -> bool:
    return path not in ("/docs", "/openapi.json") and not path.startswith("/static/")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(given := value.decode("latin-1")):
            return str(given)
    return uuid4().hex


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    for name, value in _ALWAYS.items():
        headers[name] = value
    is_html = headers.get("content-type", "").startswith("text/html")
    headers["Content-Security-Policy"] = PAGE_POLICY if is_html else DATA_POLICY
    headers.setdefault("Cache-Control", "no-store")
