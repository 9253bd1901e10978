"""The outermost layer: a request id, safe headers, and a problem instead of a stack trace."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
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
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Edge:
    """Plain ASGI, because the hot list passes through it."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app, self._max_body_bytes = app, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _request_id(scope)
        started = time.perf_counter()
        exchange = _Exchange(scope, receive, send, max_body_bytes=self._max_body_bytes)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            if not exchange.is_too_large:
                log.exception("request_failed", path=scope["path"], request_id=scope["request_id"])
            if exchange.status:
                raise
            await exchange.answer(_TOO_LARGE if exchange.is_too_large else _BROKEN)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            request_id=scope["request_id"],
        )


class _Exchange:
    """One request and its answer: counts what comes in, marks what goes out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, max_body_bytes: int) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._left = max_body_bytes
        self.is_too_large = False
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_too_large = True
            raise _TOO_LARGE
        return message

    async def send(self, message: Message) -> None:
        # Whatever the app made of the cut body, the reason is its size.
        if self.is_too_large and not self.status:
            raise _TOO_LARGE
        if message["type"] == "http.response.start":
            self.status = message["status"]
            _add_headers(MutableHeaders(scope=message), self._scope["request_id"])
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        self.is_too_large = False
        response = problem_response(problem, request_id=self._scope["request_id"])
        await response(self._scope, self._receive, self.send)


_BROKEN = Problem(500, "internal", "Something broke here; the log has the details.")
_TOO_LARGE = Problem(413, "too-large", "The body is larger than 1 MiB.", headers=_CLOSE)


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
