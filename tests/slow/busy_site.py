"""A social site with thousands of posts and an inbox for webhooks, on loopback."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PAGE = 20


@dataclass
class BusySite:
    """Serves ``posts`` as a search API, slowly, and counts what its inbox receives."""

    posts: list[dict[str, Any]]
    seconds_a_page: float = 0.5
    received: Counter[str] = field(default_factory=Counter)
    pages_served: int = 0

    def __post_init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = site.answer(self.path)
                body = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(200 if answer is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # its reader was killed
                    self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                site.received[self.headers["webhook-id"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, path: str) -> dict[str, Any] | None:
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        topic = parts.path.removesuffix("/api/v1/search_by_date").strip("/")
        if not parts.path.endswith("/api/v1/search_by_date"):
            return None
        time.sleep(self.seconds_a_page)
        self.pages_served += 1
        since = int(asked.get("numericFilters", "created_at_i>0").split(">")[-1])
        hits = [
            post for post in self.posts if post["topic"] == topic and post["created_at_i"] > since
        ]
        page = int(asked.get("page", "0"))
        shown = hits[page * PAGE : (page + 1) * PAGE]
        pages = -(-len(hits) // PAGE)
        return {
            "hits": shown,
            "nbHits": len(hits),
            "page": page,
            "nbPages": pages,
            "hitsPerPage": PAGE,
            "exhaustiveNbHits": True,
        }


ANGRY = (
    "The {brand} charger caught fire at night and my daughter is in hospital with burns.",
    "{brand} kettle exploded in my hands, second degree burns, the ambulance took me away.",
    "My son got an electric shock from the {brand} lamp and had to be taken to intensive care.",
)
CALM = (
    "Has anybody tried the new {brand} kettle? Thinking of buying one next month.",
    "Very happy with {brand}, the toaster arrived on Tuesday and works perfectly.",
    "The {brand} shop in the centre is open until eight on Saturdays.",
)


def make_posts(
    count: int, *, topics: int, brand: str, newest: int, draw: random.Random
) -> list[dict[str, Any]]:
    """Posts of several topics, one in ten plainly critical, newest first."""
    posts = []
    for number in range(count):
        pool = ANGRY if number % 10 == 0 else CALM
        said = draw.choice(pool).format(brand=brand)
        created = newest - number * 30
        posts.append(
            {
                "objectID": str(10_000 + number),
                "topic": f"t{number % topics}",
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(created)),
                "created_at_i": created,
                "author": f"user{number}",
                "comment_text": f"{said} ({number})",
                "story_id": 1,
                "story_title": "Household",
                "story_url": None,
                "parent_id": 1,
                "_tags": ["comment", f"author_user{number}", "story_1"],
            }
        )
    return posts
