"""Bluesky: believable dates, cursors on last pages, posts that are gone, and sessions."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.catalogue import spiders
from crawlers.contract import Token
from crawlers.errors import AuthError, CrawlError, QuotaError
from crawlers.reading.web_address import query_of
from tests.crawlers.saved_pages import FOLDER, parse
from tests.crawlers.talking import answer, config, known, rechecked

BLUESKY = spiders()["bluesky"]
VIEW: dict[str, Any] = json.loads((FOLDER / "bluesky/first.json").read_text("utf-8"))["posts"][0]
SECRETS = {"identifier": "ona.bsky.social", "app_password": "hush-hush-hush-hush"}


@pytest.mark.parametrize(
    ("created", "indexed", "published"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T11:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("0001-01-01T00:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("3026-01-01T00:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("yesterday-ish", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T09:00:00+02:00", None, "2026-03-01T07:00:00Z"),
        (None, None, None),
    ],
)
def test_the_earlier_believable_date_is_when_it_was_published(
    created: str | None, indexed: str | None, published: str | None
) -> None:
    view = {**VIEW, "record": {**VIEW["record"], "createdAt": created}, "indexedAt": indexed}
    (post,) = parse("bluesky", json.dumps({"posts": [view]}).encode()).posts
    assert post.published_at == (datetime.fromisoformat(published) if published else None)


def test_a_search_is_told_how_far_back_and_every_page_keeps_that() -> None:
    cursor = {"newest": "2026-03-01T10:00:00+00:00"}
    start = BLUESKY.start(config("bluesky"), cursor=cursor)
    assert query_of(start.url)["since"] == "2026-03-01T09:00:00Z"
    fetched = answer({"posts": [VIEW], "cursor": "100"}, url=start.url)
    page = BLUESKY.parse(fetched, config("bluesky"), cursor=cursor, ahead=cursor)
    assert page.next is not None
    asked = query_of(page.next.url)
    assert (asked["since"], asked["cursor"]) == ("2026-03-01T09:00:00Z", "100")


def test_what_a_list_repeats_is_no_post_of_it_and_ends_no_run() -> None:
    old = {**VIEW, "uri": f"{VIEW['uri']}9", "record": {**VIEW["record"], "createdAt": "2019"}}
    reason = {"$type": "app.bsky.feed.defs#reasonRepost", "indexedAt": "2026-03-02T10:00:00Z"}
    body = {"feed": [{"post": old, "reason": reason}], "cursor": "c"}
    settings = config("bluesky", query="", list="at://did:plc:ona111/app.bsky.graph.list/3l")
    cursor = {"newest": "2026-03-02T10:00:00+00:00"}
    page = BLUESKY.parse(answer(body), settings, cursor=cursor, ahead=cursor)
    assert (page.posts, page.problems, page.announced) == ((), (), 0)
    assert page.next is not None


def test_posts_that_are_left_out_are_gone_and_unseen_ones_are_not_read() -> None:
    here, lost = VIEW["uri"], "at://did:plc:ona111/app.bsky.feed.post/3kav0"
    page = rechecked("bluesky", {"posts": [VIEW]}, here, lost)
    assert [post.external_id for post in page.posts] == [here]
    assert page.gone == (lost,)


def test_a_recheck_whose_answer_is_no_list_says_nothing_of_the_posts() -> None:
    for body in ({"error": "UpstreamFailure"}, "<html></html>"):
        with pytest.raises(CrawlError):
            rechecked("bluesky", body, VIEW["uri"])


def test_a_recheck_names_each_address_and_no_other_parameter() -> None:
    uris = [f"at://did:plc:a/app.bsky.feed.post/{number}" for number in range(25)]
    request = BLUESKY.recheck(config("bluesky"), known(*uris, "https://x.example/&uris=y"))
    assert request is not None
    assert request.url.count("uris=") == 25
    assert "x.example" not in request.url
    odd = BLUESKY.recheck(config("bluesky"), known("at://a/b&uris=c"))
    assert odd is not None
    assert odd.url.endswith("?uris=at%3A%2F%2Fa%2Fb%26uris%3Dc")


def _jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.sig"


def test_a_session_gives_a_token_that_says_until_when_it_holds() -> None:
    request = BLUESKY.log_in(config("bluesky"), SECRETS)
    assert request is not None
    assert (request.method, json.loads(request.body)["identifier"]) == ("POST", "ona.bsky.social")
    assert "hush" not in request.url
    token = BLUESKY.read_token(answer({"accessJwt": _jwt({"exp": 1772460000}), "did": "x"}))
    assert token.expires_at == datetime.fromtimestamp(1772460000, UTC)
    signed = BLUESKY.sign(request, config("bluesky"), SECRETS, token=Token(value="tok"))
    assert signed.headers["Authorization"] == "Bearer tok"


@pytest.mark.parametrize("token", ["abc", "a.b.c", "a.%%%.c", _jwt([1]), _jwt({"exp": "soon"}), _jwt({"exp": 10**30})])  # fmt: skip  # noqa: E501
def test_a_token_that_says_nothing_is_used_until_it_is_refused(token: str) -> None:
    assert BLUESKY.read_token(answer({"accessJwt": token})) == Token(value=token)


def test_refusals_are_told_apart() -> None:
    def explain(body: object, status: int, **headers: str) -> object:
        fetched = answer(body, status=status, headers={"ratelimit-reset": headers.get("at", "")})
        return BLUESKY.explain(fetched, config("bluesky"))

    assert isinstance(explain({"error": "ExpiredToken", "message": "expired"}, 400), AuthError)
    bad = explain({"error": "BadQueryString", "message": "no"}, 400)
    assert isinstance(bad, CrawlError)
    assert not isinstance(bad, AuthError)
    assert isinstance(explain({"error": "RateLimitExceeded"}, 429, at="1772452900"), QuotaError)
    assert explain("", 502) is None
    with pytest.raises(AuthError, match="refuses the log-in"):
        BLUESKY.read_token(answer({"error": "AuthenticationRequired"}, status=401))


@pytest.mark.parametrize(
    "params",
    [
        {"query": ""},
        {"quotes_of": "at://did:plc:a/x/1"},
        {"query": "", "list": "https://x.example"},
    ],
)
def test_one_thing_is_asked_for_and_not_two(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config("bluesky", **params)
