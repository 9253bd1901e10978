"""Run inside a network namespace that holds only ``lo``: real sockets, no way out.

Every address that a guard must refuse is put on ``lo`` and listens, as do two public ones. Prints
as JSON which of them were reached by a bare client (the proof that the trap works) and by the
guarded one.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import httpx

from core.address import AddressGuard
from core.errors import AddressRefused
from core.http import guarded_client, resolve_by_system

PUBLIC = ("93.184.216.34", "2606:4700:4700::1111")
INTERNAL = (
    "10.0.0.5",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.255.1",
    "192.0.0.192",
    "192.168.1.10",
    "64:ff9b::7f00:1",
    "64:ff9b:1::c0a8:101",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
)
ADDRESSES = (*INTERNAL, *PUBLIC)
#: What the wild writes for loopback, and what the system's own resolver understands.
DISGUISES = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "127.0.0.1.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "me@127.0.0.1",
    "127.0.0.1#@firm.example",
)
NAMES = {
    "firm.example": [PUBLIC[0]],
    "firm6.example": [PUBLIC[1]],
    "inside.example": ["127.0.0.1"],
    "inside6.example": ["::1"],
    "mapped.example": ["::ffff:10.0.0.5"],
    "mixed.example": [PUBLIC[0], "10.0.0.5"],
}
REDIRECTS = ("http://127.0.0.1/", "http://169.254.169.254/", "//[::1]/", "http://inside.example/")
PORTS = (80, 443, 8000)


class Trap:
    """Listens on every address of the namespace and notes to which one a client came."""

    def __init__(self) -> None:
        self.reached: set[str] = set()
        for port in PORTS:
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
        target = dict(zip(("/0", "/1", "/2", "/3"), REDIRECTS, strict=True)).get(path)
        status = f"302 Found\r\nLocation: {target}" if target else "200 OK"
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


class Resolver:
    """Invented names; numbers and `localhost` as the system reads them; one name that rebinds."""

    def __init__(self) -> None:
        self.rebind_asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        if host == "rebind.example":
            self.rebind_asked += 1
            return [PUBLIC[0]] if self.rebind_asked % 2 else ["127.0.0.1"]
        return NAMES.get(host) or resolve_by_system(host, port)


def main() -> int:
    set_up()
    refuse_a_way_out()
    trap = Trap()
    bare = reached_by_bare_client(trap)
    trap.reached.clear()
    resolver = Resolver()
    outcomes = {url: guarded_outcome(url, resolver) for url in urls()}
    print(  # noqa: T201
        json.dumps(
            {
                "bare": sorted(bare),
                "guarded": sorted(trap.reached),
                "outcomes": outcomes,
                "rebind_asked": resolver.rebind_asked,
            }
        )
    )
    return 0


def urls() -> list[str]:
    hosts = [*DISGUISES, *(f"[{ip}]" if ":" in ip else ip for ip in INTERNAL)]
    own = [f"{scheme}://{host}/" for host in hosts for scheme in ("http", "https")]
    own += [f"http://{name}/" for name in NAMES]
    own += [f"http://firm.example/{number}" for number in range(len(REDIRECTS))]
    own += ["http://rebind.example/first", "http://rebind.example/again"]
    given = Path(sys.argv[1]).read_text("utf-8").split("\n") if len(sys.argv) > 1 else []
    return own + [line.partition("\t")[0] for line in given if line]


def guarded_outcome(url: str, resolver: Resolver) -> str:
    with guarded_client(
        AddressGuard(ports=None), timeout=2, max_body_bytes=1000, resolve=resolver
    ) as client:
        try:
            return str(client.get(url, follow_redirects=True).status_code)
        except AddressRefused:
            return "refused"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__


def reached_by_bare_client(trap: Trap) -> set[str]:
    for ip in (*ADDRESSES, "127.0.0.1", "::1"):
        place = f"[{ip}]" if ":" in ip else ip
        with suppress(httpx.HTTPError):
            httpx.get(f"http://{place}/", trust_env=False, timeout=2)
    return set(trap.reached)


def set_up() -> None:
    added = (f"{ip}/128 dev lo nodad" if ":" in ip else f"{ip}/32 dev lo" for ip in ADDRESSES)
    commands = ["link set lo up", *(f"address add {one}" for one in added)]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)  # noqa: S607


def refuse_a_way_out() -> None:
    """Stop unless every interface is ``lo``: a guard that fails must reach nothing real."""
    interfaces = {name for _, name in socket.if_nameindex()}
    if interfaces != {"lo"}:
        raise SystemExit(f"this namespace has a way out: {sorted(interfaces)}")


if __name__ == "__main__":
    sys.exit(main())
