"""Which addresses and URLs are refused, in every way to write them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.address import AddressGuard, Target, refusal
from core.errors import AddressRefused

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
INTERNAL = [
    "0.0.0.0",
    "0.255.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.53",
    "168.63.129.16",
    "169.254.170.2",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.0.9",
    "192.0.2.7",
    "192.88.99.1",
    "192.168.255.255",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.251",
    "239.1.2.3",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # compatible form of 127.0.0.1
    "::5db8:d822",  # compatible form of a public address
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "::ffff:0:10.1.2.3",
    "64:ff9b::10.1.2.3",
    "64:ff9b::168.63.129.16",
    "64:ff9b:1::5db8:d822",
    "100::1",
    "2001::1",  # Teredo
    "2001:2::1",
    "2001:db8::1",
    "2002:5db8:d822::1",
    "2600:1f18::5efe:10.0.0.5",  # ISATAP in a public network
    "2600:1f18::200:5efe:192.168.0.1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_reached(ip: str) -> None:
    assert refusal(ip) is None
    assert AddressGuard().check_address("firm.example", 443, ip) == ip_address(ip)


@pytest.mark.parametrize("ip", INTERNAL)
def test_internal_addresses_are_refused_with_a_reason(ip: str) -> None:
    assert refusal(ip)
    with pytest.raises(AddressRefused, match=r"firm\.example leads to"):
        AddressGuard().check_address("firm.example", 443, ip)


def test_networks_that_translate_public_addresses_work() -> None:
    assert refusal("64:ff9b::93.184.216.34") is None
    assert refusal("::ffff:93.184.216.34") is None


def test_the_neighbours_of_refused_networks_are_public() -> None:
    for ip in ("9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
               "128.0.0.1", "168.63.129.15", "168.63.129.17", "169.253.255.255", "172.15.255.255",
               "172.32.0.0", "192.167.255.255", "198.20.0.0", "223.255.255.255"):  # fmt: skip
        assert refusal(ip) is None, ip


@given(st.ip_addresses())
def test_nothing_that_python_calls_internal_gets_through(ip: object) -> None:
    address = ip_address(str(ip))
    if not address.is_global or address.is_multicast:
        assert refusal(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_fares_alike_in_every_disguise(ip: object) -> None:
    plain = refusal(str(ip))
    for form in ("::ffff:{}", "64:ff9b::{}"):
        assert bool(refusal(form.format(ip))) == bool(plain)


def test_what_is_no_address_is_refused() -> None:
    for ip in ("", "localhost", "1.2.3", "0x7f.0.0.1", "1.2.3.4.5", "::g"):
        with pytest.raises(AddressRefused, match="no address"):
            AddressGuard().check_address("firm.example", 80, ip)


def test_one_internal_address_among_public_ones_refuses_them_all() -> None:
    guard = AddressGuard()
    assert len(guard.check_addresses("firm.example", 80, PUBLIC)) == len(PUBLIC)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1, which is private"):
        guard.check_addresses("firm.example", 80, [*PUBLIC, "10.0.0.1"])


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://firm.example", "firm.example", 80),
        ("HTTPS://Firm.Example/a?b#c", "firm.example", 443),
        ("https://firm.example:443", "firm.example", 443),
        ("https://firm.example:/a", "firm.example", 443),
        ("https://firm.example./a", "firm.example", 443),
        ("https://me:pass@firm.example/a", "firm.example", 443),
        ("https://sklep-łódź.example/", "xn--sklep-d-q0a42esr.example", 443),
        ("https://my_shop.firm.example/", "my_shop.firm.example", 443),
        ("https://3com.example/", "3com.example", 443),
        ("https://intern.firm.example/", "intern.firm.example", 443),
        ("http://93.184.216.34/", "93.184.216.34", 80),
        ("http://[2606:4700:4700:0::1111]/", "2606:4700:4700::1111", 80),
        ("https://firm.example/a\\b?to=http://127.0.0.1", "firm.example", 443),
    ],
)
def test_a_public_url_leads_to_its_host(url: str, host: str, port: int) -> None:
    found = AddressGuard().check_url(url)
    assert (found.host, found.port) == (host, port)


REFUSED_URLS = [
    "",
    "firm.example",
    "//firm.example/",
    "http:/firm.example",
    "http:firm.example",
    "ftp://firm.example/",
    "ws://firm.example/",
    "http+unix://%2Frun%2Fa.sock/",
    "view-source:http://firm.example/",
    "http://",
    "http:///a",
    "http://:80/",
    "http://@/",
    "http://me@/",
    "http://./",
    "http://.firm.example/",
    "http://firm..example/",
    "http://-firm.example/",
    "http://firm.example:0/",
    "http://firm.example:65536/",
    "http://firm.example:８０/",
    "http://firm.example:+80/",
    "http://firm.example:80:80/",
    "http://firm.example:8080/",
    "http://a@b@firm.example/",
    "http://firm.example\\.other.example/",
    "http://firm.example\t/",
    "http://firm.example/a\r\nHost: b",
    "http://firm.example/\u00a0",
    "http://firm.example/\u3000",
    "http://firm\u200b.example:x/",
    "http://fi%72m.example/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 200}example/",
    "http://xn--zzzzzzzzz99999.example/",
    "http://localhost:80/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://a.b.localhost/",
    "http://printer.local/",
    "http://router.home.arpa/",
    "http://wiki/",
    "http://127.0.0.1/",
    "http://127.0.0.1:443/",
    "http://127.000.000.001/",
    "http://127.0x1/",
    "http://0x7F000001/",
    "http://0X7F.1/",
    "http://1.1.1.1./",
    "http://16843009/",
    "http://1.1.257/",
    "http://1.1.1.256/",
    "http://a.1/",
    "http://a.0x/",
    "http://１.１.１.１/",
    "http://1。1。1。1/",
    "http://ⓛocalhost/",
    "http://[::1]/",
    "http://[::1]:80/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[1.1.1.1]/",
    "http://[fe80::1%eth0]/",
    "http://[v1.a]/",
    "http://::1/",
    "http://me@[::ffff:7f00:1]/",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_that_is_internal_or_not_plain_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        AddressGuard().check_url(url)


@pytest.mark.parametrize(
    "place", ["@127.0.0.1/", "@a@b/", "@x y/", "@[::1/", "@a.example:0/", "@\\a/", "@%61/"]
)
def test_a_refusal_never_tells_the_password(place: str) -> None:
    for scheme in ("http", "ftp"):
        with pytest.raises(AddressRefused) as refused:
            AddressGuard().check_url(f"{scheme}://me:canary{place}")
        assert "canary" not in str(refused.value)


def test_an_opened_pair_is_exactly_one_host_and_port() -> None:
    guard = AddressGuard(allow=frozenset({("127.0.0.1", 8099)}))
    assert guard.check_url("http://127.0.0.1:8099/board").port == 8099
    assert str(guard.check_address("127.0.0.1", 8099, "127.0.0.1")) == "127.0.0.1"
    for url in ("http://127.0.0.1:8098/", "http://127.0.0.1/", "http://127.0.0.2:8099/",
                "http://localhost:8099/", "http://0x7f.1:8099/", "http://[::1]:8099/"):  # fmt: skip
        with pytest.raises(AddressRefused):
            guard.check_url(url)
    for host, port in (("firm.example", 8099), ("127.0.0.1", 80)):
        with pytest.raises(AddressRefused):
            guard.check_address(host, port, "127.0.0.1")


def test_an_opened_name_may_lead_inside() -> None:
    guard = AddressGuard.opening(["Wiki:8080", "[::1]:9000", "hooks.firm.example.:8443"])
    assert guard.check_url("http://wiki:8080/") == Target(scheme="http", host="wiki", port=8080)
    assert guard.check_address("wiki", 8080, "10.1.2.3")
    assert guard.check_url("http://[0:0::1]:9000/").host == "::1"
    assert guard.check_url("https://hooks.firm.example:8443/").port == 8443
    with pytest.raises(AddressRefused):
        guard.check_address("wiki", 8081, "10.1.2.3")


@pytest.mark.parametrize("pair", ["", "wiki", "wiki:", ":80", "wiki:x", "wiki:0", "wiki:65536"])
def test_an_exception_that_is_no_pair_is_named(pair: str) -> None:
    with pytest.raises(AddressRefused, match="host:port"):
        AddressGuard.opening([pair])


def test_other_ports_can_be_let_in() -> None:
    assert AddressGuard(ports=None).check_url("http://firm.example:8080/").port == 8080
    with pytest.raises(AddressRefused):
        AddressGuard(ports=None).check_url("http://127.0.0.1:8080/")


def test_hostile_urls_are_refused_or_left_to_the_resolver(shared: Path) -> None:
    let_through = {url for url in listed(shared, "urls") if passes(url)}
    assert all(".test/" in url for url in let_through), let_through
    assert len(let_through) < 10


def test_harmless_urls_are_let_through(shared: Path) -> None:
    assert all(passes(url) for url in listed(shared, "controls"))


def listed(shared: Path, name: str) -> list[str]:
    text = (shared / "fixtures" / "hostile" / "ssrf" / f"{name}.txt").read_text("utf-8")
    return [line.partition("\t")[0] for line in text.split("\n") if line]


def passes(url: str) -> bool:
    try:
        AddressGuard().check_url(url)
    except AddressRefused:
        return False
    return True
