"""The guarded client against real sockets, in a network that has no outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROBE = Path(__file__).with_name("namespace_probe.py")
REPOSITORY = PROBE.parents[2]
PUBLIC = {"93.184.216.34", "2606:4700:4700::1111"}


@pytest.fixture(scope="module")
def probe() -> dict[str, Any]:
    """What the probe reports; its namespace ends with its process and leaves nothing behind."""
    shared = Path(os.environ.get("GOODNAME_SHARED", REPOSITORY.parent / "shared"))
    given = shared / "fixtures" / "hostile" / "ssrf" / "urls.txt"
    done = subprocess.run(
        [*own_network(), sys.executable, str(PROBE), *([str(given)] if given.exists() else [])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_trap_works(probe: dict[str, Any]) -> None:
    assert set(probe["bare"]) > PUBLIC
    assert {"127.0.0.1", "::1", "169.254.169.254", "168.63.129.16"} < set(probe["bare"])


def test_the_guarded_client_reaches_public_addresses_and_no_other(probe: dict[str, Any]) -> None:
    assert set(probe["guarded"]) == PUBLIC


def test_public_names_are_served_and_the_rest_is_refused(probe: dict[str, Any]) -> None:
    outcomes = probe["outcomes"]
    assert outcomes["http://firm.example/"] == "200"
    assert outcomes["http://firm6.example/"] == "200"
    assert outcomes["http://rebind.example/first"] == "200"
    assert outcomes["http://rebind.example/again"] == "refused"
    for url in ("http://mixed.example/", "http://mapped.example/", "http://inside6.example/",
                "http://firm.example/0", "http://firm.example/1", "http://firm.example/2",
                "http://firm.example/3", "http://127.1/", "https://[fec0::1]/"):  # fmt: skip
        assert outcomes[url] == "refused", url


def own_network() -> list[str]:
    """The command that runs another one in a network namespace of its own."""
    if not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("needs the commands `ip` and `unshare`")
    for command in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if (
            subprocess.run(
                [*command, "ip", "link", "set", "lo", "up"], capture_output=True
            ).returncode
            == 0
        ):
            return command
    pytest.skip("needs root, or user namespaces, to make a network of its own")
