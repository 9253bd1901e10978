"""Which addresses we may connect to: only public ones, however the address is written.

`check_url` refuses by what stands in a URL, before anything is resolved. `check_address` decides
over each address that a name resolves to, and whoever dials must dial the address that was
checked, not the name: it may resolve to something else a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

import idna

from core.errors import AddressRefused

Address = IPv4Address | IPv6Address
LONGEST_HOST = 254  #: of a name in the DNS, with the dot at its end
DEFAULT_PORTS = {"http": 80, "https": 443}
WEB_PORTS = frozenset(DEFAULT_PORTS.values())

# Python's `is_global` comes last: it calls several of these global, and changed between releases.
IPV4_REFUSED = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "the platform service of a cloud"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
IPV6_REFUSED = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::1/128", "loopback"),
        ("::/128", "this host"),
        ("::/96", "an IPv4 address in a form that is no longer used"),
        ("::ffff:0:0:0/96", "an IPv4 address for translators"),
        ("64:ff9b:1::/48", "a local translation of IPv4"),
        ("100::/64", "discarded"),
        ("2001::/23", "reserved for protocols and tunnels"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "a 6to4 tunnel"),
        ("3fff::/20", "reserved for documentation"),
        ("5f00::/16", "reserved for routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private (site-local)"),
        ("ff00::/8", "multicast"),
    )
)
#: Here an IPv4 address is written in the last 32 bits, and that one decides.
IPV4_INSIDE = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
#: The middle of an ISATAP address, whose last 32 bits are an IPv4 address in any network.
ISATAP = (0x0000_5EFE, 0x0200_5EFE)
GLOBAL_UNICAST = IPv6Network("2000::/3")

#: Names that never belong to the public Internet, with all names below them.
PRIVATE_NAMES = frozenset(
    {
        "corp",
        "home",
        "home.arpa",
        "internal",
        "intranet",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "private",
    }
)

_URL = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)", re.ASCII)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads: the host in the one form in which it is resolved and compared."""

    scheme: str
    host: str  #: lower case, ASCII, no trailing dot, no brackets
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Decides where a connection may go, with the exceptions that the operator opened."""

    #: Exact pairs of host (as it stands in the URL) and port; each one is a hole.
    allow: frozenset[tuple[str, int]] = frozenset()
    ports: frozenset[int] | None = WEB_PORTS  #: None: any

    @classmethod
    def opening(cls, pairs: Iterable[str]) -> AddressGuard:
        """A guard with exceptions as they stand in the settings: ``host:port``, ``[::1]:8099``."""
        return cls(allow=frozenset(_pair(pair) for pair in pairs))

    def check_url(self, url: str) -> Target:
        """Refuse a URL by how it is written; return where it leads.

        The name in it still has to be resolved, and each of its addresses checked.
        """
        target = _parse(url)
        if self._is_opened(target.host, target.port):
            return target
        reason = _host_refusal(target.host)
        if reason:
            raise AddressRefused(f"{target.host} {reason}")
        if self.ports is not None and target.port not in self.ports:
            raise AddressRefused(f"{target.host} is asked for at port {target.port}, not the web's")
        return target

    def check_address(self, host: str, port: int, ip: str | Address) -> Address:
        """Refuse an address that ``host`` resolved to; return the one to dial."""
        if isinstance(ip, str) and "%" in ip:
            raise AddressRefused(f"{host} leads to {ip}, which names a network card")
        try:
            address = ip_address(ip)
        except ValueError:
            raise AddressRefused(f"{host} leads to {ip!r}, which is no address") from None
        reason = None if self._is_opened(host, port) else refusal(address)
        if reason:
            raise AddressRefused(f"{host} leads to {address}, which is {reason}")
        return address

    def check_addresses(self, host: str, port: int, ips: Iterable[str]) -> list[Address]:
        """The addresses to dial, in their order; refused if a single one of them is."""
        return [self.check_address(host, port, ip) for ip in ips]

    def _is_opened(self, host: str, port: int) -> bool:
        return (_plain(host), port) in {(_plain(name), number) for name, number in self.allow}


def refusal(ip: str | Address) -> str | None:
    """Why we do not connect to an address; None when it is a public one.

    >>> refusal("64:ff9b::7f00:1")
    'a way to write 127.0.0.1, which is loopback'
    """
    address = ip_address(ip)
    if isinstance(address, IPv4Address):
        return _listed(address, IPV4_REFUSED) or _unlisted(address)
    if address.scope_id:
        return "bound to a network card"
    inside = _ipv4_inside(address)
    reason = refusal(inside) if inside else None
    if reason:
        return f"a way to write {inside}, which is {reason}"
    if any(address in network for network in IPV4_INSIDE):
        return None
    return _listed(address, IPV6_REFUSED) or _unlisted(address)


def _listed(
    address: Address, networks: Iterable[tuple[IPv4Network | IPv6Network, str]]
) -> str | None:
    return next((reason for network, reason in networks if address in network), None)


def _unlisted(address: Address) -> str | None:
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return "not a public address"
    return None if address.is_global else "not a public address"


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    number = int(address)
    is_isatap = (number >> 32) & 0xFFFF_FFFF in ISATAP
    if is_isatap or any(address in network for network in IPV4_INSIDE):
        return IPv4Address(number & 0xFFFF_FFFF)
    return None


def _parse(url: str) -> Target:
    if _BLANKS.search(url):
        raise AddressRefused("the URL has blanks or control characters in it")
    found = _URL.match(url)
    scheme = found["scheme"].lower() if found else ""
    if not found or scheme not in DEFAULT_PORTS:
        raise AddressRefused("the URL is not one of http:// or https://")
    userinfo, _, place = found["authority"].rpartition("@")
    # Programs disagree on where the host begins in these; no sensible URL has them.
    if "\\" in found["authority"] or "@" in userinfo:
        raise AddressRefused("the URL does not say clearly which host it means")
    host, port = _split(place)
    return Target(scheme=scheme, host=host, port=DEFAULT_PORTS[scheme] if port is None else port)


def _split(place: str) -> tuple[str, int | None]:
    """Host and port of what stands between the slashes, without the user."""
    if place.startswith("["):
        literal, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressRefused("the URL has brackets around no address")
        return _ipv6(literal), _port(rest[1:])
    host, _, port = place.partition(":")
    return _name(host), _port(port)


def _ipv6(literal: str) -> str:
    if "%" in literal:
        raise AddressRefused(f"[{literal}] names a network card")
    try:
        return str(IPv6Address(literal))
    except AddressValueError:
        raise AddressRefused(f"[{literal}] is no IPv6 address") from None


def _port(digits: str) -> int | None:
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise AddressRefused("the URL has no valid port")
    if not 1 <= int(digits) <= 65535:
        raise AddressRefused(f"{digits} is no port")
    return int(digits)


def _name(written: str) -> str:
    """A host name in ASCII; refuses what some programs would repair into another one."""
    if "%" in written or not 0 < len(written) <= LONGEST_HOST:
        raise AddressRefused("the URL has no plain host name")
    host = _ascii(written)
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused(f"{written!r} is no host name")
    # By its last label a host is a number or a name; 0x7f.1 and 017700000001 are 127.0.0.1 to many.
    if _NUMBER.fullmatch(labels[-1]) and not (written == host and _is_dotted(host)):
        raise AddressRefused(f"{written!r} is an address that is not written plainly")
    return host


def _ascii(written: str) -> str:
    try:
        if not written.isascii():
            written = idna.encode(written, uts46=True).decode("ascii")
        host = written.lower().removesuffix(".")
        for label in host.split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise AddressRefused(f"{written!r} is no host name") from None
    return host


def _is_dotted(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False


def _host_refusal(host: str) -> str | None:
    """Why a host is refused by its looks."""
    if ":" in host or _is_dotted(host):
        reason = refusal(host)
        return f"is {reason}" if reason else None
    labels = host.split(".")
    if any(".".join(labels[start:]) in PRIVATE_NAMES for start in range(len(labels))):
        return "is a name of a private network"
    return "is a name without a domain" if len(labels) == 1 else None


def _plain(host: str) -> str:
    """A host as it is compared: brackets, case and the dot at the end say nothing."""
    bare = host.strip("[]").lower().removesuffix(".")
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


def _pair(written: str) -> tuple[str, int]:
    host, colon, port = written.strip().rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise AddressRefused(f"{written!r} is not a host:port pair, e.g. 192.168.1.20:8080")
    return _plain(host), int(port)
