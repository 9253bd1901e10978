"""Mastodon: pages by the header, statuses that are gone, and tokens that stay at home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.catalogue import spiders
from crawlers.errors import AuthError, CrawlError, DriftError, QuotaError
from tests.crawlers.saved_pages import FOLDER, parse
from tests.crawlers.talking import answer, config, known, rechecked

MASTODON, SEARCH = spiders()["mastodon"], spiders()["mastodon-search"]
STATUSES: list[dict[str, Any]] = json.loads((FOLDER / "mastodon/first.json").read_text("utf-8"))
SECRETS = {"instance": "https://Toot.example/", "access_token": "hush-hush"}


def test_a_header_that_names_another_host_leads_to_our_instance() -> None:
    for link in (
        '<https://evil.example/x?max_id=12>; rel="next"',
        "<http://127.0.0.1/x?max_id=12&limit=1>;rel=next",
    ):
        page = parse("mastodon", json.dumps(STATUSES).encode(), headers={"link": link})
        assert page.next is not None
        asked = "https://toot.example/api/v1/timelines/tag/kavira?limit=40&max_id=12"
        assert page.next.url == asked


@pytest.mark.parametrize(
    "link",
    [
        "",
        "<x>; rel=prev",
        '<https://t.example/?max_id=a+b>; rel="next"',
        '<https://t.example/?min_id=4>; rel="next"',
        "<" * 9000,
    ],
    ids=range(5),
)
def test_a_header_without_a_next_place_ends_the_run(link: str) -> None:
    assert parse("mastodon", json.dumps(STATUSES).encode(), headers={"link": link}).next is None


def test_a_status_is_gone_when_the_instance_says_so() -> None:
    page = rechecked("mastodon", {"error": "Record not found"}, "12", status=404)
    assert page.gone == ("12",)
    with pytest.raises(CrawlError):
        rechecked("mastodon", "<html><title>404 Not Found</title>nginx</html>", "12", status=404)


def test_a_status_that_stands_is_read_and_another_one_is_not() -> None:
    status = STATUSES[1]
    page = rechecked("mastodon", status, status["id"])
    assert [post.external_id for post in page.posts] == [status["id"]]
    assert page.posts[0].edited_at is not None
    assert rechecked("mastodon", status, "12").posts == ()


def test_an_id_cannot_lead_a_recheck_elsewhere() -> None:
    page = rechecked("mastodon", {"error": "Record not found"}, "../../v2/search?q=x", status=404)
    assert page.gone == ("../../v2/search?q=x",)
    asked = MASTODON.recheck(config("mastodon"), known("../x?y#z"))
    assert asked is not None
    assert asked.url == "https://toot.example/api/v1/statuses/..%2Fx%3Fy%23z"


def test_a_closed_timeline_wants_a_token_and_a_spent_window_waits() -> None:
    refused = answer({"error": "This method requires an authenticated user"}, status=422)
    assert isinstance(MASTODON.explain(refused, config("mastodon")), AuthError)
    until = {"x-ratelimit-reset": "2026-03-02T12:05:00.0Z"}
    spent = MASTODON.explain(answer("", status=429, headers=until), config("mastodon"))
    assert isinstance(spent, QuotaError)
    assert spent.until is not None


def test_a_token_is_shown_to_its_own_instance_only() -> None:
    start = SEARCH.start(config("mastodon-search"), cursor={})
    signed = SEARCH.sign(start, config("mastodon-search"), SECRETS, token=None)
    assert signed.headers["Authorization"] == "Bearer hush-hush"
    for other in ("https://evil.example", "http://toot.example", "https://toot.example:444"):
        params = config("mastodon-search", instance=other)
        with pytest.raises(AuthError, match="not") as refused:
            SEARCH.sign(SEARCH.start(params, cursor={}), params, SECRETS, token=None)
        assert "hush" not in str(refused.value)


def test_recorded_accounts_are_no_statuses(shared: Path) -> None:
    path = shared / "fixtures/mastodon/search_accounts_default.json"
    body = json.dumps(json.loads(path.read_bytes())["body"]).encode()
    page = parse("mastodon", body)
    assert page.posts == ()
    assert len(page.problems) == 3
    with pytest.raises(DriftError):
        parse("mastodon-search", body)


@pytest.mark.parametrize(
    "params",
    [
        {"tag": "a", "replies_to": "1"},
        {"tag": "#kavira"},
        {"tag": "a/b"},
        {"instance": "toot.example"},
        {"replies_to": "1/../2"},
    ],
)
def test_impossible_settings_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config("mastodon", **params)
