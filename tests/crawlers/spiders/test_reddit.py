"""Reddit: walks over a listing that changes under them, deleted things, and the log-in."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.catalogue import spiders
from crawlers.contract import Token
from crawlers.errors import AuthError, BlockedError, DriftError, QuotaError
from crawlers.reading.web_address import query_of
from tests.crawlers.saved_pages import parse
from tests.crawlers.talking import answer, config, known, rechecked

REDDIT = spiders()["reddit"]
SECRETS = {"client_id": "cid", "client_secret": "hush-hush"}


class Listing:
    """A listing of links, newest first, whose items may be deleted between two pages."""

    def __init__(self, names: list[str], *, size: int = 4, repeats_after: bool = False) -> None:
        self.names, self.size, self.repeats_after = names, size, repeats_after
        self.deleted: set[str] = set()
        self.pages = 0

    def __call__(self, after: str | None) -> dict[str, Any]:
        self.pages += 1
        left = [name for name in self.names if name not in self.deleted]
        if after in self.deleted:
            left = []  # as the site does: an anchor that is gone has nothing behind it
        elif after is not None:
            left = left[left.index(after) + 1 :]
        page, rest = left[: self.size], left[self.size :]
        last = page[-1] if page and (rest or self.repeats_after) else None
        return {"kind": "Listing", "data": {"after": last, "children": [_link(n) for n in page]}}


def _link(name: str) -> dict[str, Any]:
    data = {"name": name, "title": f"link {name}", "created_utc": 1772449200.0}
    return {"kind": "t3", "data": data}


def walk(listing: Listing, *, delete_after_page: dict[int, set[str]] | None = None) -> list[str]:
    """Follow a run to its end; the names that it read."""
    settings = config("reddit")
    request, found = REDDIT.start(settings, cursor={}), list[str]()
    for number in range(1, 50):
        body = listing(query_of(request.url).get("after"))
        fetched = answer(body, url=request.url, state=request.state)
        page = REDDIT.parse(fetched, settings, cursor={}, ahead={})
        found += [post.external_id for post in page.posts]
        listing.deleted |= (delete_after_page or {}).get(number, set())
        if page.next is None:
            return found
        request = page.next
    raise AssertionError("the run does not end")


NAMES = [f"t3_kav{number:02}" for number in range(11, 0, -1)]


def test_every_item_is_read_though_the_last_of_a_page_is_deleted() -> None:
    listing = Listing(NAMES)
    found = walk(listing, delete_after_page={1: {NAMES[3]}, 3: {NAMES[7], NAMES[6]}})
    assert list(dict.fromkeys(found)) == NAMES


def test_a_listing_that_names_a_page_behind_its_last_ends_quietly() -> None:
    listing = Listing(NAMES[:8], repeats_after=True)
    assert list(dict.fromkeys(walk(listing))) == NAMES[:8]
    assert listing.pages == 4


def test_a_place_that_is_lost_is_said_and_not_taken_for_the_end() -> None:
    with pytest.raises(DriftError, match="were deleted"):
        walk(Listing(NAMES, size=3), delete_after_page={1: set(NAMES[:3])})


def test_nothing_new_behind_a_recorded_anchor_is_an_empty_page(shared: Path) -> None:
    path = shared / "fixtures/reddit/r_comments_before_cursor_empty.json"
    page = parse("reddit", json.dumps(json.loads(path.read_bytes())["body"]).encode())
    assert (page.posts, page.problems, page.next, page.announced) == ((), (), None, 0)


def test_a_recorded_deleted_comment_is_gone_when_asked_for_again(shared: Path) -> None:
    path = shared / "fixtures/reddit/api_info_deleted_comment.json"
    body = json.loads(path.read_bytes())["body"]
    name = body["data"]["children"][0]["data"]["name"]
    page = rechecked("reddit", body, name, "t1_hidden")
    assert page.gone == (name,)
    assert page.posts == ()


@pytest.mark.parametrize("title", ["[deleted by user]", "[ Removed by moderator ]"])
def test_what_reddit_puts_in_place_of_a_title_is_no_edit_of_it(title: str) -> None:
    link = {"name": "t3_a", "title": title, "selftext": "", "author": "[deleted]"}
    body = {"data": {"children": [{"kind": "t3", "data": link}]}}
    page = parse("reddit", json.dumps(body).encode())
    assert (page.posts, page.gone) == ((), ("t3_a",))


def test_a_recheck_asks_for_a_hundred_names_and_keeps_what_stands() -> None:
    body = {"data": {"children": [_link("t3_kav01"), _link("t3_other")]}}
    page = rechecked("reddit", body, "t3_kav01", "t3_kav02")
    assert [post.external_id for post in page.posts] == ["t3_kav01"]
    assert page.gone == ()
    request = REDDIT.recheck(config("reddit"), known("t3_kav01", "../../api/v1/me", "t1_kav02"))
    assert request is not None
    assert query_of(request.url)["id"] == "t3_kav01,t1_kav02"
    assert REDDIT.recheck(config("reddit"), known("nonsense")) is None


def test_a_log_in_shows_the_secret_in_a_header_and_gives_a_token_for_a_day() -> None:
    request = REDDIT.log_in(config("reddit"), SECRETS)
    assert request is not None
    assert request.url == "https://www.reddit.com/api/v1/access_token"
    assert base64.b64decode(request.headers["Authorization"][6:]) == b"cid:hush-hush"
    assert request.body == "grant_type=client_credentials"
    given = answer({"access_token": "tok", "token_type": "bearer", "expires_in": 86400})
    token = REDDIT.read_token(given)
    assert token.value == "tok"
    assert token.expires_at is not None
    assert (token.expires_at - given.fetched_at).days == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [({"message": "Unauthorized", "error": 401}, 401), ({"error": "x"}, 200), ("<html>", 200)],
)
def test_a_refused_log_in_is_said(body: object, status: int) -> None:
    with pytest.raises(AuthError, match=f"id or secret .{status}."):
        REDDIT.read_token(answer(body, status=status))


def test_a_token_is_shown_in_a_header_only() -> None:
    start = REDDIT.start(config("reddit"), cursor={})
    signed = REDDIT.sign(start, config("reddit"), SECRETS, token=Token(value="tok"))
    assert signed.headers["Authorization"] == "Bearer tok"
    assert signed.url == start.url
    assert "hush" not in repr(signed)


def test_refusals_are_told_apart() -> None:
    def explain(body: object, status: int, **headers: str) -> object:
        shown = {name.replace("_", "-"): said for name, said in headers.items()}
        return REDDIT.explain(answer(body, status=status, headers=shown), config("reddit"))

    assert isinstance(explain({"message": "Unauthorized"}, 401), AuthError)
    private = explain({"reason": "private", "message": "Forbidden", "error": 403}, 403)
    assert isinstance(private, BlockedError)
    assert "private" in str(private)
    assert isinstance(explain("", 429, x_ratelimit_reset="525"), QuotaError)
    assert explain("<html>", 403) is None
    assert explain("", 500) is None


@pytest.mark.parametrize(
    "params",
    [
        {"query": ""},
        {"query": " "},
        {"posts": "comments"},
        {"query": "", "posts": "comments"},
        {"subreddit": "a/../b"},
        {"subreddit": "a"},
    ],
)
def test_settings_that_ask_for_nothing_possible_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config("reddit", **params)
