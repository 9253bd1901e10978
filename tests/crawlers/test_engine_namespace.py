"""Crawls against real sockets on internal addresses, in a network that has no outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_http_namespace import PUBLIC, own_network
from tests.crawlers.namespace_probe import REDIRECTS, STREAM, TARGETS
from tests.databases import Databases

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def probe(databases: Databases) -> dict[str, Any]:
    """What the probe reports; its namespace ends with its process."""
    with databases.lent() as url:
        done = subprocess.run(
            [*own_network(), sys.executable, "-m", "tests.crawlers.namespace_probe", url],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.timeout(400)
def test_no_crawl_reaches_an_internal_address(probe: dict[str, Any]) -> None:
    assert set(probe["reached"]) == PUBLIC
    assert probe["asked"] > len(TARGETS) * (1 + len(REDIRECTS))


def test_a_source_inside_and_a_redirect_inside_are_blocked_in_words(probe: dict[str, Any]) -> None:
    outcomes = probe["outcomes"]
    # A name with an internal and a public address is dialled at its public one.
    inside = [n for n, target in enumerate(TARGETS) if "mixed" not in target]
    followed = [
        url
        for url in outcomes
        if "/redirect" in url
        and not url.startswith(STREAM)
        and int(url.rpartition("/")[2]) in inside
    ]
    assert len(followed) == len(inside) * len(REDIRECTS)
    for url in followed:
        outcome, reason, pages = outcomes[url]
        assert (outcome, pages) == ("blocked", "0"), (url, reason)
        assert len(reason) > 20
    for target in TARGETS:
        if target.startswith("http") and "mixed" not in target:
            assert outcomes[target][0] == "blocked", target


def test_a_next_page_inside_is_blocked_and_the_first_kept(probe: dict[str, Any]) -> None:
    for number, target in enumerate(TARGETS):
        outcome, reason, pages = probe["outcomes"][f"http://firm.example/next/{number}"]
        assert pages == "1", (target, reason)
        assert outcome == _end_at(target), (target, reason)
        assert len(reason) > 20


def _end_at(following: str) -> str:
    """What a next page ends a run as: refused by the guard, no address at all, or not there."""
    if "mixed" in following:
        return "error"  # it is dialled at its public address, which has no such page
    return "blocked" if following.startswith("http") else "drift"


def test_feeds_are_read_and_their_links_are_not_followed(probe: dict[str, Any]) -> None:
    assert probe["outcomes"]["http://firm.example/feed"][0] == "ok"
    assert probe["outcomes"]["http://firm6.example/feed"][0] == "ok"


def test_a_stream_inside_and_a_redirect_of_one_are_blocked(probe: dict[str, Any]) -> None:
    outcomes = probe["outcomes"]
    assert f"{STREAM}http://rebind.example/x?3" in outcomes
    for number, target in enumerate(TARGETS):
        if "mixed" in target:
            continue
        outcome, reason, pages = outcomes[f"{STREAM}http://firm.example/redirect302/{number}"]
        assert (outcome, pages) == ("blocked", "0"), (target, reason)
        if target.startswith("http"):
            assert outcomes[STREAM + target][0] == "blocked", target
