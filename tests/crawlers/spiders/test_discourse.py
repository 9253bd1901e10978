"""Discourse as its server answers: lists that repeat a post, and topics of many posts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from crawlers.contract import Request
from crawlers.reading.web_address import query_of
from tests.crawlers.answering import posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT, config_of

Json = dict[str, Any]


def _post(number: int) -> Json:
    written_at = FETCHED_AT - timedelta(days=1000 - number)
    return {
        "id": number,
        "post_number": number,
        "post_type": 1,
        "username": "ona",
        "cooked": f"<p>words {number}</p>",
        "created_at": written_at.isoformat(),
    }


@pytest.mark.parametrize("repeats", [True, False])
def test_a_forum_is_read_down_to_its_first_post_though_lists_repeat_one(*, repeats: bool) -> None:
    numbers = range(7, 127)  # until 2026 ``before`` was "at most", since then it is "less than"

    def forum(request: Request) -> Json:
        before = int(query_of(request.url).get("before", 10**9)) + repeats
        older = [number for number in reversed(numbers) if number < before]
        return {"latest_posts": [_post(number) for number in older[:50]]}

    pages, asked = walk("discourse", forum)
    assert {post.external_id for post in posts_of(pages)} == set(map(str, numbers))
    assert len({request.url for request in asked}) == len(asked)


def test_a_topic_is_read_from_its_very_last_post_on() -> None:
    numbers = range(1, 66)

    def topic(request: Request) -> Json:
        path, query = urlsplit(request.url).path, query_of(request.url)
        shown = list(numbers)
        if path == "/t/77/posts.json":
            # As its server does: a number that is none means the nearest, and counts as excluded.
            nearest = min(numbers, key=lambda one: abs(one - int(query["post_number"])))
            shown = [one for one in reversed(numbers) if one < nearest][:20]
        else:
            assert path == "/t/77/last.json"
            shown = shown[-20:]
        return {"post_stream": {"posts": [_post(number) for number in shown]}, "id": 77}

    pages, _ = walk("discourse", topic, config={**config_of("discourse"), "topic": 77})
    assert sorted(int(post.external_id) for post in posts_of(pages)) == list(numbers)
