"""A webhook receiver on loopback that answers as it is told, and remembers what it got."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]  #: names in lower case
    body: bytes
    at: float


@dataclass
class Scripted:
    """Answers with each status of the script in turn, then with 200; ``hang`` sleeps first."""

    url: str = ""
    address: str = ""
    script: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    hang_on: str = ""  #: a path that is answered only after ``hang_seconds``
    hang_seconds: float = 3.0
    got: list[Got] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, count: int, *, seconds: float = 10) -> Sequence[Got]:
        """Wait until so many requests came."""
        ends = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < ends:
            time.sleep(0.01)
        return list(self.got)


@contextmanager
def scripted_receiver() -> Iterator[Scripted]:
    """Serve on a free port of loopback."""
    state = Scripted()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    state.address = f"127.0.0.1:{server.server_address[1]}"
    state.url = f"http://{state.address}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with state.lock:
                state.got.append(Got(self.path, headers, body, time.monotonic()))
                status, extra = state.script.pop(0) if state.script else (200, {})
            if state.hang_on and self.path.startswith(state.hang_on):
                time.sleep(state.hang_seconds)
            try:
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:
                pass  # the caller did not wait

        def log_message(self, *_: object) -> None:
            pass

    return Handler
