"""Crawl inside a network namespace that holds only ``lo``: real sockets, no way out.

``python -m tests.crawlers.namespace_probe DATABASE_URL`` prints as JSON how each crawl ended and
which addresses were reached. The database is spoken to over its socket file.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy.orm import Session

from core.address import AddressGuard
from core.database import owner_engine
from core.models import CrawlRun
from core.settings import CrawlSection
from crawlers.engine.crawl import crawl
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.office import Office
from crawlers.engine.reactor import start_reactor
from crawlers.engine.turns import Turns
from crawlers.spiders.feed import FeedSpider
from tests.core.namespace_probe import (
    DISGUISES,
    INTERNAL,
    NAMES,
    PUBLIC,
    refuse_a_way_out,
    set_up,
)
from tests.crawlers.plain import Plain
from tests.factories import add_source

TARGETS = (
    *(f"http://{host}/secret" for host in DISGUISES if "@" not in host and "#" not in host),
    *(f"http://{f'[{ip}]' if ':' in ip else ip}/secret" for ip in INTERNAL),
    *(f"http://{name}/secret" for name in NAMES if not name.startswith("firm")),
    "//169.254.169.254/secret",
    "//[::ffff:127.0.0.1]/secret",
)
REDIRECTS = (301, 302, 303, 307, 308)
#: Before the addresses that are asked for a WebSocket.
STREAM = "stream:"


class Trap:
    """Answers on port 80 of every address, and notes on which."""

    def __init__(self) -> None:
        self.reached: set[str] = set()
        self.asked: list[str] = []
        for port in (80, 443):
            listening = socket.create_server(
                ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64
            )
            threading.Thread(target=self._accept, args=[listening], daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            address = ip_address(connection.getsockname()[0])
            self.reached.add(str(getattr(address, "ipv4_mapped", None) or address))
            with connection, suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        path = connection.recv(65536).split(b" ")[1].decode()
        self.asked.append(path)
        status, body = "404 Not Found", ""
        way, _, number = path.removeprefix("/").partition("/")
        if way.startswith("redirect"):
            target = TARGETS[int(number)]
            status = f"{way.removeprefix('redirect')} Elsewhere\r\nLocation: {target}"
        elif way == "next":
            status, body = "200 OK", _page(TARGETS[int(number)])
        elif way == "feed":
            status, body = "200 OK", _feed()
        raw = body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + raw)


def _page(following: str) -> str:
    return json.dumps({"posts": [{"id": "a", "text": "text"}], "next": following})


def _feed() -> str:
    """A feed all of whose links lead inside."""
    links = "".join(
        f"<item><guid>{n}</guid><title>t</title><link>{url}</link><comments>{url}</comments>"
        f'<enclosure url="{url}" type="audio/mpeg" length="1"/></item>'
        for n, url in enumerate(TARGETS)
        if url.startswith("http")
    )
    inside = TARGETS[0]
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f'<title>x</title><link>{inside}</link><atom:link rel="next" href="{inside}"/>'
        f'<atom:link rel="self" href="{inside}"/><cloud domain="127.0.0.1" port="80"/>'
        f"<image><url>{inside}</url></image>{links}</channel></rss>"
    )


class Resolver:
    """Invented names, and one that means another address each time it is asked."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, host: Any, port: Any, *rest: Any) -> list[Any]:
        name = str(host)
        if name == "rebind.example":
            self._asked += 1
            return _entries([PUBLIC[0] if self._asked % 2 else "127.0.0.1"], port)
        if name in NAMES:
            return _entries(NAMES[name], port)
        return socket.getaddrinfo(host, port, *rest)


def _entries(addresses: Sequence[str], port: int) -> list[Any]:
    return [
        (
            socket.AF_INET6 if ":" in one else socket.AF_INET,
            socket.SOCK_STREAM,
            6,
            "",
            (one, port, 0, 0) if ":" in one else (one, port),
        )
        for one in addresses
    ]


async def _main(url: str) -> None:
    set_up()
    refuse_a_way_out()
    trap = Trap()
    office = _office(url)
    start_reactor(office.look_up)
    outcomes: dict[str, list[str]] = {}
    for address, kind in _sources():
        is_stream, url = address.startswith(STREAM), address.removeprefix(STREAM)
        params = {"url": url, "is_stream": True} if is_stream else {"url": url}
        with Session(office.engine) as session, session.begin():
            source = add_source(session, kind=kind, params=params).id
        done = await crawl(source, office=office)
        assert done is not None
        with Session(office.engine) as session:
            pages = session.get_one(CrawlRun, done.run_id).pages
        outcomes[address] = [done.verdict.outcome.value, done.verdict.reason, str(pages)]
    found = {"reached": sorted(trap.reached), "outcomes": outcomes, "asked": len(trap.asked)}
    print(json.dumps(found), flush=True)  # noqa: T201


def _sources() -> list[tuple[str, str]]:
    own = [(url if url.startswith("http") else f"http:{url}", "plain") for url in TARGETS]
    hops = [
        (f"http://firm.example/{way}/{number}", "plain")
        for way in ("next", *(f"redirect{status}" for status in REDIRECTS))
        for number in range(len(TARGETS))
    ]
    feeds = [("http://firm.example/feed", "feed"), ("http://firm6.example/feed", "feed")]
    rebinding = [(f"http://rebind.example/feed?{number}", "feed") for number in range(4)]
    streams = [
        *own,
        *((f"http://firm.example/redirect302/{number}", "plain") for number in range(len(TARGETS))),
        *((f"http://rebind.example/x?{number}", "plain") for number in range(4)),
    ]
    heard = [(STREAM + url, kind) for url, kind in streams]
    return [*own, *hops, *feeds, *rebinding, *heard]


def _office(url: str) -> Office:
    guard = AddressGuard()

    def now() -> datetime:
        return datetime.now(UTC)

    settings = CrawlSection(delay_seconds=0, longest_delay_seconds=0, timeout_seconds=5)
    return Office(
        engine=owner_engine(url, pool_size=2),
        spiders={"plain": Plain(), "feed": FeedSpider()},
        settings=settings,
        guard=guard,
        look_up=GuardedLookUp(guard, look_up=Resolver()),
        turns=Turns(delay_seconds=0, clock=now),
        clock=now,
        threads=ThreadPoolExecutor(4),
        tell_parsing=lambda *_: None,
    )


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
    sys.stdout.flush()
    import os

    os._exit(0)  # threads of Twisted would be waited for
