"""No request reaches an address that nobody allowed; all of this stays on loopback."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core.address import AddressGuard
from core.errors import AddressRefused
from crawlers.engine.guard import GuardedLookUp
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Site, page, posts, redirect


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::1]", "0", "2130706433"])
def test_a_source_on_an_internal_port_is_refused_without_a_connection(
    host: str, crawler: Crawler, canary: Site
) -> None:
    run = crawler.crawl(crawler.source(f"http://{host}:{canary.port}/1"))
    assert run.outcome == "blocked", run.reason
    assert run.pages == 0


def test_a_redirect_to_an_internal_port_is_refused(
    crawler: Crawler, site: Site, canary: Site
) -> None:
    for host in ("127.0.0.1", "localhost"):
        site.pages["/1"] = redirect(f"http://{host}:{canary.port}/secret")
        assert crawler.crawl(crawler.source(f"{site.url}/1")).outcome == "blocked"


def test_a_next_page_on_an_internal_port_is_refused_and_the_first_kept(
    crawler: Crawler, site: Site, canary: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "text"), following=f"http://localhost:{canary.port}/2"))
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("blocked", 1)


def test_a_redirect_of_robots_txt_to_an_internal_port_is_refused(
    crawler: Crawler, new_site: Site, canary: Site
) -> None:
    new_site.pages["/robots.txt"] = redirect(f"http://127.0.0.1:{canary.port}/robots.txt")
    new_site.pages["/1"] = page(posts(("a", "text")))
    run = crawler.crawl(crawler.source(f"{new_site.url}/1"))
    assert (run.outcome, new_site.paths()) == ("blocked", [])


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:,x", "ftp://127.0.0.1/x", "nonsense"])
def test_only_http_and_https_are_fetched(url: str, crawler: Crawler) -> None:
    run = crawler.crawl(crawler.source(url))
    assert run.outcome in ("blocked", "error")
    assert run.pages == 0


def _answering(*addresses: str) -> Any:
    def look_up(host: str, port: int, *_: object) -> list[Any]:
        family = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (one, port))
            for kind, one in zip(family, addresses, strict=True)
        ]

    return look_up


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "::1", "fd00::1"]
)
def test_a_name_that_resolves_to_an_internal_address_has_no_address(address: str) -> None:
    look_up = GuardedLookUp(AddressGuard(), look_up=_answering(address))
    assert look_up("board.example", 80, 0, 1) == []
    assert isinstance(look_up.refusal("BOARD.example", 80), AddressRefused)
    assert look_up.refusal("board.example", 80) is None


def test_only_the_public_ones_of_several_addresses_are_dialled() -> None:
    look_up = GuardedLookUp(AddressGuard(), look_up=_answering("10.0.0.8", "93.184.216.34"))
    assert [entry[4][0] for entry in look_up("board.example", 443, 0, 1)] == ["93.184.216.34"]


def test_an_exception_holds_for_its_own_port_alone() -> None:
    guard = AddressGuard(allow=frozenset({("127.0.0.1", 8099)}))
    look_up = GuardedLookUp(guard, look_up=_answering("127.0.0.1"))
    assert len(look_up("127.0.0.1", 8099, 0, 1)) == 1
    assert look_up("127.0.0.1", 8100, 0, 1) == []


def test_a_name_that_cannot_be_encoded_is_an_unknown_name() -> None:
    def look_up(*_: object) -> list[Any]:
        raise UnicodeError("label too long")

    with pytest.raises(socket.gaierror):
        GuardedLookUp(AddressGuard(), look_up=look_up)("x" * 70, 80)
