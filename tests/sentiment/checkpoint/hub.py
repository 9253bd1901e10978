"""A hub on this machine: serves folders over HTTP as the real one does, and remembers who asked."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "5f2c" * 10


@dataclass
class Hub:
    """``owner/name`` → folder; other names are unknown, ``gated`` ones are closed."""

    folders: Mapping[str, Path]
    gated: frozenset[str] = frozenset()
    url: str = ""
    asked: list[str] = field(default_factory=list)  #: paths, in order


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve on a free port of the loopback until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            hub.asked.append(path)
            status, headers, content = _find(hub, path.split("/"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _find(hub: Hub, parts: list[str]) -> tuple[int, dict[str, str], bytes]:
    is_api = parts[:2] == ["api", "models"]
    owner, name, *rest = parts[2:] if is_api else parts
    repo = f"{owner}/{name}"
    if repo in hub.gated:
        return 403, {"X-Error-Code": "GatedRepo"}, b"{}"
    if repo not in hub.folders:
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
    files = sorted(path for path in hub.folders[repo].iterdir() if path.is_file())
    revision = "/".join(rest[1:]) if rest[:1] == ["revision"] else (rest[1:2] or ["main"])[0]
    if revision not in {"main", "refs/pr/3", COMMIT}:
        return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
    if is_api and rest[:1] == ["tree"]:
        return _json(
            [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": _etag(path)}
                for path in files
            ]
        )
    if is_api:
        return _json(
            {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": p.name} for p in files]}
        )
    wanted = hub.folders[repo] / rest[-1]
    if wanted not in files:
        return 404, {"X-Error-Code": "EntryNotFound"}, b""
    return 200, {"ETag": f'"{_etag(wanted)}"', "X-Repo-Commit": COMMIT}, wanted.read_bytes()


def _json(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
