"""The guarded client: where it connects, what it follows, how much it reads."""

from __future__ import annotations

import gzip
import itertools
import socket
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from core.address import AddressGuard, refusal
from core.body import BodyTooLarge
from core.errors import AddressRefused
from core.http import guarded_client

PUBLIC = "93.184.216.34"
Answer = Callable[[str], bytes]


def test_the_checked_address_is_dialled_and_not_the_name() -> None:
    wire = Wire({"firm.example": [PUBLIC]})
    with wire.client() as client:
        assert client.get("https://firm.example/hook").text == "hello"
    assert wire.dialled == [(PUBLIC, 443)]
    assert b"Host: firm.example\r\n" in wire.sent[0]


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    wire = Wire({"firm.example": ["2606:4700::1", PUBLIC]}, dead={"2606:4700::1"})
    with wire.client() as client:
        assert client.get("http://firm.example/").status_code == 200
    assert wire.dialled == [("2606:4700::1", 80), (PUBLIC, 80)]


def test_a_name_that_leads_inside_is_never_dialled() -> None:
    wire = Wire(
        {
            "a.example": ["127.0.0.1"],
            "b.example": ["::ffff:10.0.0.1"],
            "c.example": [PUBLIC, "192.168.5.5"],
            "d.example": ["fe80::1%eth0"],
        }
    )
    with wire.client() as client:
        for name in wire.names:
            with pytest.raises(AddressRefused, match=f"{name[0]}\\.example leads to"):
                client.get(f"https://{name}/")
    assert wire.dialled == []


def test_a_name_that_changes_its_mind_is_dialled_where_it_was_checked() -> None:
    answers = itertools.chain([[PUBLIC]], itertools.repeat(["127.0.0.1"]))
    wire = Wire({}, resolve=lambda *_: next(answers))
    with wire.client() as client:
        assert client.get("http://rebind.example/").status_code == 200
        assert wire.dialled == [(PUBLIC, 80)]
        with pytest.raises(AddressRefused):  # the retry resolves and checks anew
            client.get("http://rebind.example/")
    assert wire.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:8000/",
        "//[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://inside.example/",
        "file:///etc/hostname",
        "gopher://127.0.0.1/",
        "https://firm.example:22/",
    ],
)
def test_a_redirect_inside_is_refused_also_when_redirects_are_followed(target: str) -> None:
    wire = Wire(
        {"firm.example": [PUBLIC], "inside.example": ["10.9.9.9"]},
        answer=lambda _: response(307, f"Location: {target}\r\n".encode()),
    )
    with wire.client() as client:
        first = client.get("https://firm.example/")
        assert first.status_code == 307
        assert first.next_request is None or refuses(lambda: client.send(first.next_request))
        for method in ("GET", "POST"):
            with pytest.raises((AddressRefused, httpx.UnsupportedProtocol)):
                client.request(method, "https://firm.example/", follow_redirects=True)
    assert wire.dialled == [(PUBLIC, 443)] * 3


def test_a_redirect_outside_is_followed_when_asked_for() -> None:
    def answer(path: str) -> bytes:
        return response(302, b"Location: http://other.example/b\r\n") if path == "/a" else HELLO

    wire = Wire({"firm.example": [PUBLIC], "other.example": ["1.1.1.1"]}, answer=answer)
    with wire.client() as client:
        assert client.get("http://firm.example/a", follow_redirects=True).text == "hello"
    assert wire.dialled == [(PUBLIC, 80), ("1.1.1.1", 80)]


def test_a_redirect_loop_ends() -> None:
    wire = Wire(
        {"firm.example": [PUBLIC]},
        answer=lambda _: response(302, b"Location: /again\r\n"),
    )
    with wire.client() as client, pytest.raises(httpx.TooManyRedirects):
        client.get("http://firm.example/", follow_redirects=True)
    assert len(wire.dialled) < 10


def test_a_name_that_cannot_be_resolved_is_a_connect_error() -> None:
    unknown = pytest.raises(httpx.ConnectError, match=r"nowhere\.example cannot be resolved")
    with Wire({}).client() as client, unknown:
        client.get("http://nowhere.example/")


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    wire = Wire({"firm.example": [PUBLIC]})
    with wire.client() as client:
        assert client.get("http://firm.example/").status_code == 200
    assert wire.dialled == [(PUBLIC, 80)]


def test_a_request_that_was_built_elsewhere_is_checked_too() -> None:
    wire = Wire({})
    with wire.client() as client, pytest.raises(AddressRefused):
        client.send(httpx.Request("GET", "http://127.0.0.1/"))
    assert wire.dialled == []


def test_no_hostile_url_is_dialled_inside(shared: Path) -> None:
    """Names as the fixture describes them; whatever is dialled must be public."""
    names = {
        "good.example": [PUBLIC],
        "localhost": ["127.0.0.1"],
        "postgres": ["10.7.7.7"],
        "xn--80ak6aa92e.test": ["10.1.2.3"],
        "redirect.test": [PUBLIC],
        "mixed.test": [PUBLIC, "10.0.0.1"],
        "aaaa-only.test": ["::ffff:10.0.0.1"],
        "cname.test": ["192.168.5.5"],
    }
    rebind = itertools.chain([[PUBLIC]], itertools.repeat(["127.0.0.1"]))

    def resolve(host: str, port: int) -> Sequence[str]:
        if host == "rebind.test":
            return next(rebind)
        # Unknown names lead inside, as the numeric forms do in the system's resolver.
        return names.get(host, ["127.0.0.1"])

    redirects = {
        "/to-loopback": (302, "http://127.0.0.1:8000/"),
        "/to-file": (302, "file:///etc/hostname"),
        "/307-to-metadata": (307, "http://169.254.169.254/"),
        "/relative-slashes": (302, "//[::ffff:10.0.0.1]/"),
    }

    def answer(path: str) -> bytes:
        status, target = redirects.get(path, (200, ""))
        return response(status, f"Location: {target}\r\n".encode()) if target else HELLO

    wire = Wire({}, resolve=resolve, answer=answer)
    urls = listed(shared, "urls")
    refused = 0
    with wire.client() as client:
        for url, _ in itertools.product(urls, range(2)):
            refused += refuses(lambda url=url: client.get(url, follow_redirects=True))
    assert refused == 2 * len(urls) - 1, "all but the first look-up of the name that rebinds"
    assert {address for address, _ in wire.dialled} == {PUBLIC}
    assert len(wire.dialled) == 2 * len(redirects) + 1


def test_harmless_urls_are_reached(shared: Path) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        return [PUBLIC]

    wire = Wire({}, resolve=resolve)
    with wire.client() as client:
        for url in listed(shared, "controls"):
            assert client.get(url).status_code == 200, url
    assert all(refusal(address) is None for address, _ in wire.dialled)


def test_an_answer_beyond_the_cap_is_not_read() -> None:
    wire = Wire({"firm.example": [PUBLIC]}, answer=lambda _: response(200, body=b"x" * 1001))
    with wire.client(max_body_bytes=1000) as client:
        with pytest.raises(BodyTooLarge):
            client.get("http://firm.example/")
        with client.stream("POST", "http://firm.example/") as answer:
            assert answer.status_code == 200, "known before the body is read"


def test_a_packed_answer_is_unpacked() -> None:
    packed = response(200, b"Content-Encoding: gzip\r\n", gzip.compress(b"hello"))
    wire = Wire({"firm.example": [PUBLIC]}, answer=lambda _: packed)
    with wire.client() as client:
        assert client.get("http://firm.example/").text == "hello"
    assert b"Accept-Encoding: gzip\r\n" in wire.sent[0]


class Wire(httpcore.NetworkBackend):
    """The network: names, sockets that note where they go, and one answer for each path."""

    def __init__(
        self,
        names: dict[str, list[str]],
        *,
        resolve: Callable[[str, int], Sequence[str]] | None = None,
        answer: Answer | None = None,
        dead: Iterable[str] = (),
    ) -> None:
        self.names = names
        self.dialled: list[tuple[str, int]] = []
        self.sent: list[bytes] = []
        self.answer = answer or (lambda _: HELLO)
        self._resolve = resolve or self._look_up
        self._dead = set(dead)

    def client(self, *, max_body_bytes: int = 100_000) -> httpx.Client:
        return guarded_client(
            AddressGuard(),
            timeout=2,
            max_body_bytes=max_body_bytes,
            resolve=self._resolve,
            backend=self,
        )

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.dialled.append((host, port))
        if host in self._dead:
            raise httpcore.ConnectTimeout("dead")
        return Line(self)

    def _look_up(self, host: str, _: int) -> Sequence[str]:
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.names[host]


class Line(httpcore.NetworkStream):
    """One connection on the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rest: bytes | None = None

    def write(self, buffer: bytes, _: float | None = None) -> None:
        self._wire.sent.append(buffer)
        if self._rest is None:
            self._rest = self._wire.answer(buffer.split(b" ")[1].decode())

    def read(self, max_bytes: int, _: float | None = None) -> bytes:
        assert self._rest is not None
        piece, self._rest = self._rest[:max_bytes], self._rest[max_bytes:]
        return piece

    def start_tls(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self

    def close(self) -> None:
        pass


def response(status: int, headers: bytes = b"", body: bytes = b"") -> bytes:
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %d Said\r\n%s%s\r\n%s" % (status, headers, length, body)


HELLO = response(200, body=b"hello")


def refuses(request: Callable[[], httpx.Response]) -> bool:
    try:
        request()
    except (AddressRefused, httpx.UnsupportedProtocol):
        return True
    return False


def listed(shared: Path, name: str) -> list[str]:
    text = (shared / "fixtures" / "hostile" / "ssrf" / f"{name}.txt").read_text("utf-8")
    return [line.partition("\t")[0] for line in text.split("\n") if line]
