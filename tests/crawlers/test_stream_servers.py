"""Whatever a server of a stream does, the run ends as what it was, in words."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.address import AddressGuard
from core.errors import AddressRefused
from crawlers.contract import Hear
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.stream import listen
from crawlers.errors import DriftError
from tests.crawlers import site as bad
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Answer, Asked, Site, page, redirect, status
from tests.crawlers.streaming import MINUTE, event, now_us
from tests.crawlers.test_engine_guard import _answering
from tests.factories import add_source

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def _open(asked: Asked, *, accept: str = "", more: str = "") -> None:
    key = asked.headers["sec-websocket-key"]
    proof = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()  # noqa: S324
    asked.raw(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept or proof}\r\n{more}\r\n".encode()
    )


def frame(kind: int, body: bytes, *, is_last: bool = True, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = bytes([(0x80 if is_last else 0) | kind, 127]) + struct.pack("!Q", size)
    if kind >= CLOSE:
        head = bytes([0x80 | kind, size])
    return head + body


def _leaves(_: Asked) -> None:
    """The connection ends without a word."""


def saying(*frames: bytes, then: Callable[[Asked], None] = _leaves) -> Answer:
    """A stream of these frames."""

    def answer(asked: Asked) -> None:
        _open(asked)
        for one in frames:
            asked.raw(one)
        then(asked)

    return answer


def stays(asked: Asked) -> None:
    time.sleep(6)


def _event(text: str = "Kavira") -> bytes:
    return frame(TEXT, json.dumps(event(now_us() - 2 * MINUTE, "3k1", text)).encode())


def _endless_fragments(asked: Asked) -> None:
    asked.raw(frame(TEXT, b"{", is_last=False))
    while True:
        asked.raw(frame(0, b"x" * 60_000, is_last=False))


def _pings(asked: Asked) -> None:
    for _ in range(60):
        asked.raw(frame(PING, b"are you there"))
        time.sleep(0.1)


def _old_news(asked: Asked) -> None:
    """Events from long before what was asked for, without an end."""
    old = frame(TEXT, json.dumps(event(now_us() - 10**12, "3k1", "Kavira")).encode())
    while True:
        asked.raw(old * 20)


BAD: dict[str, tuple[Answer, str, str]] = {
    "refuses": (status("403 Forbidden"), "blocked", "HTTP 403: the site refuses us"),
    "too often": (status("429 Too Many Requests"), "blocked", "HTTP 429: the site asks"),
    "gateway": (status("502 Bad Gateway"), "error", "HTTP 502"),
    "not ready": (status("503 Service Unavailable"), "error", "HTTP 503"),
    "closes at once": (bad.closes_at_once, "error", "closed the connection without an answer"),
    "mail": (bad.speaks_another_protocol, "error", "the answer is no HTTP"),
    "never answers": (bad.never_answers, "error", "no whole answer within 2 s"),
    "drips": (bad.drips, "error", "no whole answer within 2 s"),
    "endless page": (bad.endless, "error", "it is no WebSocket"),
    "a web page": (
        page("<html><title>Welcome</title></html>"),
        "drift",
        'has no stream; its title is "Welcome"',
    ),
    "log-in": (
        page("<html><title>Sign in</title><input type=password></html>"),
        "blocked",
        "a log-in page instead of stream",
    ),
    "JSON": (page('{"error": "no such thing"}'), "drift", "1 of 1 lines say no event"),
    "wrong proof": (lambda asked: _open(asked, accept="d3Jvbmc="), "error", "it is no WebSocket"),
    "packs": (
        lambda asked: _open(asked, more="Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        "error",
        "it is no WebSocket",
    ),
    "opens and closes": (saying(), "error", "the site closed the connection"),
    "says goodbye": (
        saying(frame(CLOSE, struct.pack("!H", 1008) + b"too many\x07 of you")),
        "error",
        "the site closed it (1008: too many  of you)",
    ),
    "says nothing": (saying(then=stays), "error", "said nothing that can be read: 2 s were over"),
    "only pings": (saying(then=_pings), "error", "said nothing that can be read: 2 s were over"),
    "compressed": (
        saying(frame(BINARY, b"\x28\xb5\x2f\xfd\x00"), then=stays),
        "drift",
        "it sent bytes where text was expected",
    ),
    "huge": (
        saying(frame(TEXT, b"{", length=2**40), then=stays),
        "drift",
        "a message is longer than 1000000 bytes",
    ),
    "huge in parts": (saying(then=_endless_fragments), "drift", "a message is longer than"),
    "no UTF-8": (saying(frame(TEXT, b"\xff\xfe{}"), then=stays), "drift", "is no UTF-8"),
    "no frames": (saying(b"\xf3nonsense", then=stays), "drift", "it breaks the rules"),
    "garbage": (saying(frame(TEXT, b"hello"), then=stays), "drift", "lines say no event"),
    "nested": (saying(frame(TEXT, b"[" * 200_000), then=stays), "drift", "say no event"),
    "circle": (redirect("/subscribe"), "error", "redirected in a circle"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_server_ends_the_run_in_words(name: str, crawler: Crawler, site: Site) -> None:
    answer, outcome, words = BAD[name]
    site.pages["/subscribe"] = answer
    source = _source(crawler, site.url)
    run = crawler.crawl(source)
    assert (run.outcome, run.pages) == (outcome, 0), run.reason
    assert words in (run.reason or ""), run.reason
    assert crawler.row(source).cursor == {}
    assert run.finished_at is not None
    assert run.finished_at - run.started_at < timedelta(seconds=30)


LATER: dict[str, tuple[Answer, str]] = {
    "stands still": (saying(_event(), then=stays), "comes no further"),
    "dies": (saying(_event()), "the site closed the connection"),
    "turns to bytes": (saying(_event(), frame(BINARY, b"x"), then=stays), "sent bytes"),
    "grows": (saying(_event(), frame(TEXT, b"{", length=2**40), then=stays), "longer than"),
    "old news": (saying(then=_old_news), "comes no further"),
}


@pytest.mark.parametrize("name", LATER)
def test_what_came_before_the_trouble_is_kept_and_the_run_says_where_it_stands(
    name: str, crawler: Crawler, site: Site
) -> None:
    answer, words = LATER[name]

    def serve(asked: Asked) -> None:
        if "cursor=" in asked.path:
            answer(asked)
        else:
            now = frame(TEXT, json.dumps(event(now_us(), "3k0", "now")).encode())
            saying(now, then=stays)(asked)

    site.pages["/subscribe"] = serve
    source = _source(crawler, site.url)
    run = crawler.crawl(source)
    assert run.outcome == "error", run.reason
    assert words in (run.reason or ""), run.reason
    assert crawler.texts(source) == ([] if name == "old news" else ["Kavira"])


def test_robots_txt_speaks_for_a_stream_too(crawler: Crawler, new_site: Site) -> None:
    new_site.pages["/robots.txt"] = page("User-agent: *\nDisallow: /subscribe")
    new_site.pages["/subscribe"] = saying(_event())
    run = crawler.crawl(_source(crawler, new_site.url))
    assert (run.outcome, new_site.paths()) == ("blocked", [])
    assert "robots.txt forbids it" in (run.reason or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_stream_on_an_internal_port_is_refused_without_a_connection(
    host: str, crawler: Crawler, canary: Site
) -> None:
    address = f"http://{host}:{canary.port}"
    run = crawler.crawl(_source(crawler, address))
    assert (run.outcome, run.pages) == ("blocked", 0), run.reason


def test_a_stream_that_leads_to_an_internal_port_is_refused(
    crawler: Crawler, site: Site, canary: Site
) -> None:
    site.pages["/subscribe"] = redirect(f"http://127.0.0.1:{canary.port}/subscribe")
    assert crawler.crawl(_source(crawler, site.url)).outcome == "blocked"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1"])
async def test_a_name_that_resolves_to_an_internal_address_is_not_dialled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *given: dialled.append(given))
    look_up = GuardedLookUp(AddressGuard(), look_up=_answering(address))
    with pytest.raises(Exception, match="no address"):
        await listen(
            "https://board.example/subscribe",
            headers={},
            hear=lambda _: Hear.KEEP,
            look_up=look_up,
            seconds=2,
            limit=1000,
        )
    assert isinstance(look_up.refusal("board.example", 443), AddressRefused)
    assert dialled == []


async def test_a_page_is_never_longer_than_its_limit(site: Site) -> None:
    site.pages["/x"] = saying(*(frame(TEXT, b"x" * 300) for _ in range(10)), then=stays)
    guard = AddressGuard.opening([site.address])
    heard = await listen(
        f"{site.url}/x",
        headers={"User-Agent": "Goodname"},
        hear=lambda _: Hear.KEEP,
        look_up=GuardedLookUp(guard),
        seconds=2,
        limit=1000,
    )
    assert heard.body.split(b"\n") == [b"x" * 300] * 3
    assert heard.headers["goodname-ended"] == "the page was full at 1000 bytes"
    site.pages["/x"] = saying(frame(TEXT, b"x" * 1001), then=stays)
    with pytest.raises(DriftError, match="longer than 1000 bytes"):
        await listen(
            f"{site.url}/x",
            headers={},
            hear=lambda _: Hear.KEEP,
            look_up=GuardedLookUp(guard),
            seconds=2,
            limit=1000,
        )


def _source(crawler: Crawler, address: str) -> int:
    params = {"query": "kavira", "base_url": address}
    with Session(crawler.engine) as session, session.begin():
        return add_source(session, kind="bluesky-stream", params=params).id
