"""NodeBB as its server answers: pages are cut before it takes out what guests may not see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crawlers.catalogue import spiders
from crawlers.contract import KnownPost, Request
from crawlers.reading.web_address import page_number
from tests.crawlers.answering import posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT
from tests.crawlers.talking import config

HIDDEN = range(20, 60)  # the whole second page and the third, in a category of the staff
NODEBB = spiders()["nodebb"]


def _forum(request: Request) -> list[dict[str, Any]]:
    first = (page_number(request.url, default=1) - 1) * 20
    return [
        {
            "pid": 2000 - place,
            "content": "words",
            "timestampISO": (FETCHED_AT - timedelta(minutes=place)).isoformat(),
        }
        for place in range(first, min(first + 20, 1240))
        if place not in HIDDEN
    ]


def test_pages_of_which_guests_see_nothing_hide_no_post_behind_them() -> None:
    pages, asked = walk("nodebb", _forum)
    assert len(posts_of(pages)) == 1240 - len(HIDDEN)
    assert len(asked) == 62 + 3  # nothing on three pages in a row is the end


def test_a_post_of_another_server_is_asked_for_by_its_address() -> None:
    known = [KnownPost(external_id="https://elsewhere.example/post/1", url="u")]
    request = NODEBB.recheck(config("nodebb"), known)
    assert request is not None
    assert request.url.endswith("/api/v3/posts/https%3A%2F%2Felsewhere.example%2Fpost%2F1")
