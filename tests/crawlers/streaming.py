"""A stand-in for Jetstream on loopback: it replays from a cursor and then goes on live."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import ServerConnection, serve

POSTS = "app.bsky.feed.post"
BEN = "did:plc:ben222"
SECOND = 10**6
MINUTE = 60 * SECOND


def now_us() -> int:
    """The time as the stream writes it."""
    return time.time_ns() // 1000


def event(at: int, key: str, text: str | None, *, operation: str = "create") -> dict[str, Any]:
    """One event of a post; without a text it is deleted."""
    commit: dict[str, Any] = {"operation": operation, "collection": POSTS, "rkey": key}
    if text is None:
        commit["operation"] = "delete"
    else:
        written = datetime.fromtimestamp(at / SECOND).astimezone().isoformat()
        commit["record"] = {"$type": POSTS, "text": text, "createdAt": written, "langs": ["en"]}
        commit["cid"] = f"bafyrei{key}"
    return {"did": BEN, "time_us": at, "kind": "commit", "commit": commit}


@dataclass
class Jetstream:
    """What it has to tell, and what it was asked."""

    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    most_open: int = 0
    connections: list[ServerConnection] = field(default_factory=list)
    is_numbered: bool = False  #: as the second version: a cursor may be an event's number
    starts_early: int = 0  #: so many events before the one that was asked for
    forgets_before: int = 0  #: it keeps nothing older
    #: Which connection, after how many messages, and who is killed then.
    dies_at: tuple[int, int, subprocess.Popen[bytes]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, at: int, key: str, text: str | None, **given: Any) -> None:
        """Add an event at the end."""
        said = event(at, key, text, **given)
        self.events.append(said | ({"cursor": len(self.events) + 1} if self.is_numbered else {}))

    def hear(self, connection: ServerConnection) -> None:
        """Serve one subscriber."""
        assert connection.request is not None
        with self._lock:
            self.connections.append(connection)
            # One that its subscriber has closed is over, though we may not have looked yet.
            open_now = sum(one.protocol.state is State.OPEN for one in self.connections)
            self.most_open = max(self.most_open, open_now)
        query = {
            key: one[-1] for key, one in parse_qs(urlsplit(connection.request.path).query).items()
        }
        self.asked.append(query)
        self.agents.append(connection.request.headers.get("User-Agent", ""))
        with suppress(ConnectionClosed):
            self._replay(connection, query.get("cursor"))
            self._go_on(connection)

    def _replay(self, connection: ServerConnection, cursor: str | None) -> None:
        number = len(self.asked)
        for sent, one in enumerate(self._from(cursor)):
            if self.dies_at is not None and self.dies_at[:2] == (number, sent):
                self.dies_at[2].kill()
            connection.send(json.dumps(one, separators=(",", ":")))

    def _from(self, cursor: str | None) -> list[dict[str, Any]]:
        if cursor is None:
            return []
        asked = int(cursor)
        key = "time_us" if asked >= 10**15 else "cursor"
        first = next(
            (at for at, one in enumerate(self.events) if one[key] >= asked), len(self.events)
        )
        kept = self.events[max(0, first - self.starts_early) :]
        return [one for one in kept if one["time_us"] >= self.forgets_before]

    def _go_on(self, connection: ServerConnection) -> None:
        """What others do in the network right now, until the subscriber leaves."""
        while True:
            about = {"did": BEN, "time_us": now_us(), "kind": "identity", "identity": {"did": BEN}}
            connection.send(json.dumps(about, separators=(",", ":")))
            time.sleep(0.02)

    def refuse(self, _: ServerConnection, request: Request) -> Response | None:
        """Pages that are no stream: there is none."""
        if urlsplit(request.path).path == "/subscribe":
            return None
        body = b"not found"
        headers = Headers([("Content-Length", str(len(body))), ("Connection", "close")])
        return Response(HTTPStatus.NOT_FOUND.value, "Not Found", headers, body)


@contextmanager
def streaming(*, context: ssl.SSLContext | None = None) -> Iterator[Jetstream]:
    """A stream on a free port."""
    stream = Jetstream()
    with serve(
        stream.hear, "127.0.0.1", 0, ssl=context, process_request=stream.refuse, close_timeout=1
    ) as server:
        stream.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield stream
        server.shutdown()
        thread.join(timeout=5)
