"""Facebook: a feed and the comments below it, down to what is known; errors by their codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.recording import unpacked
from crawlers.catalogue import spiders
from crawlers.contract import Request
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError, QuotaError
from tests.crawlers.answering import explained, posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT, config_of

FACEBOOK = spiders()["facebook"]
CONFIG = FACEBOOK.config(**config_of("facebook"))
PAGE = "555"
Json = dict[str, Any]


class Graph:
    """A Page with posts and comments, newest first; lists say a cursor on their last page, too."""

    def __init__(self, posts: Mapping[int, datetime], comments: Mapping[int, list[datetime]]):
        self.posts, self.comments = dict(posts), dict(comments)
        self.asked: list[str] = []

    def __call__(self, request: Request) -> object:
        query = {key: one[-1] for key, one in parse_qs(urlsplit(request.url).query).items()}
        *_, name, what = urlsplit(request.url).path.split("/")
        after = int(query.get("after", 0))
        self.asked.append(f"{name} {what} {after}")
        if what == "comments":
            return self._listing(self._comments(int(name.partition("_")[2])), after, size=100)
        listing = self._listing(self._feed(), after, size=25)
        for post in listing["data"]:
            number = int(post["id"].partition("_")[2])
            post["comments"] = self._listing(self._comments(number), 0, size=25)
        return listing

    def _feed(self) -> list[Json]:
        ordered = sorted(self.posts.items(), key=lambda one: one[1], reverse=True)
        return [_item(f"{PAGE}_{number}", at) for number, at in ordered]

    def _comments(self, number: int) -> list[Json]:
        times = sorted(self.comments.get(number, ()), reverse=True)
        return [_item(f"{number}_{at:%d%H%M%S}{at.month}", at) for at in times]

    def _listing(self, items: list[Json], after: int, *, size: int) -> Json:
        paging: Json = {"cursors": {"before": "0", "after": str(after + size)}}
        if after + size < len(items):
            paging["next"] = "https://elsewhere.example/?access_token=hidden"
        return {"data": items[after : after + size], "paging": paging}


def _item(external_id: str, at: datetime) -> Json:
    return {"id": external_id, "message": f"words {external_id}", "created_time": at.isoformat()}


def _ago(**values: float) -> datetime:
    return FETCHED_AT - timedelta(**values)


def _ids(pages: list[Any]) -> set[str]:
    return {post.external_id for post in posts_of(pages)}


def test_a_first_run_reads_every_post_and_every_comment_once() -> None:
    graph = Graph(
        {n: _ago(days=n) for n in range(60)},
        {2: [_ago(minutes=n) for n in range(260)], 40: [_ago(days=30, hours=n) for n in range(30)]},
    )
    pages, asked = walk("facebook", graph)
    assert len(_ids(pages)) == len(posts_of(pages)) == 60 + 260 + 30
    assert all(request.url.startswith("https://graph.facebook.com/v26.0/") for request in asked)
    assert not any("hidden" in request.url for request in asked)


def test_a_later_run_reads_new_comments_on_older_posts_and_no_old_ones_again() -> None:
    graph = Graph(
        {n: _ago(days=2 * n) for n in range(60)},
        {5: [_ago(days=3, minutes=n) for n in range(400)]},
    )
    cursor = walk("facebook", graph)[0][-1].ahead
    graph.comments[5].append(_ago(minutes=2))
    graph.comments[12] = [_ago(minutes=1)]
    graph.asked.clear()
    pages, _ = walk("facebook", graph, cursor=cursor)
    assert {_id(5, _ago(minutes=2)), _id(12, _ago(minutes=1))} <= _ids(pages)
    assert graph.asked == [
        "KaviraBoots feed 0",
        f"{PAGE}_5 comments 25",  # its first page holds one comment that is new
        "KaviraBoots feed 25",
    ]


def test_an_empty_page_in_the_middle_of_a_list_is_not_its_end() -> None:
    graph = Graph({n: _ago(days=n) for n in range(60)}, {2: [_ago(minutes=n) for n in range(260)]})

    def hiding(request: Request) -> object:
        """Facebook cuts pages before it takes out what we may not see."""
        listing: Any = graph(request)
        return {**listing, "data": []} if graph.asked[-1].endswith(" 25") else listing

    pages, _ = walk("facebook", hiding)
    assert len(_ids(pages)) == 60 - 25 + 260 - 100


def _id(number: int, at: datetime) -> str:
    return f"{number}_{at:%d%H%M%S}{at.month}"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (190, AuthError),
        (102, AuthError),
        (10, AuthError),
        (200, AuthError),
        (299, AuthError),
        (4, QuotaError),
        (17, QuotaError),
        (32, QuotaError),
        (613, QuotaError),
        (80001, QuotaError),
        (12, DriftError),
        (368, BlockedError),
        (100, CrawlError),
        (1, CrawlError),
    ],
)
def test_a_code_says_what_is_refused(code: int, expected: type[CrawlError]) -> None:
    body = {"error": {"message": "(#x) Words of Facebook", "type": "OAuthException", "code": code}}
    error = explained("facebook", body, status=400)
    assert type(error) is expected
    assert "Words of Facebook" in str(error)


def test_a_recorded_refusal_is_a_matter_of_the_credential(shared: Path) -> None:
    body = unpacked(shared / "fixtures" / "facebook" / "error.json")
    assert isinstance(explained("facebook", body, status=400), AuthError)


def test_a_spent_limit_says_until_when() -> None:
    usage = {"555": [{"type": "pages", "estimated_time_to_regain_access": 19}, {"type": "x"}]}
    headers = {"x-business-use-case-usage": json.dumps(usage)}
    body = {"error": {"code": 4, "message": "limit"}}
    error = explained("facebook", body, status=400, headers=headers)
    assert isinstance(error, QuotaError)
    assert error.until == FETCHED_AT + timedelta(minutes=19)
    for nonsense in (
        "",
        "x",
        "[]",
        '{"555": 3}',
        '{"555": [{"estimated_time_to_regain_access": -3}]}',
    ):
        headers = {"x-business-use-case-usage": nonsense}
        error = explained("facebook", body, status=400, headers=headers)
        assert isinstance(error, QuotaError)
        assert error.until is None


def test_what_is_no_refusal_of_the_api_keeps_the_meaning_of_its_status() -> None:
    for body in (b"<html>", b"", b"[]", {"error": "x"}, {}):
        assert explained("facebook", body, status=502) is None


def test_the_token_is_in_no_request_until_it_is_signed() -> None:
    request = FACEBOOK.start(CONFIG, cursor={})
    signed = FACEBOOK.sign(request, CONFIG, {"access_token": "s3cret"}, token=None)
    assert "s3cret" not in repr(request)
    assert signed.headers["Authorization"] == "Bearer s3cret"
    assert signed.url == request.url
