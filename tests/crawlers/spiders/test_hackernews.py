"""Hacker News: items looked up again in the site's own API."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import KnownPost
from crawlers.errors import DriftError
from tests.crawlers.saved_pages import parse
from tests.crawlers.talking import answer, config, known, rechecked

HACKERNEWS = spiders()["hackernews"]
COMMENT = {
    "by": "oak_table",
    "id": 900120,
    "kids": [900121],
    "parent": 900111,
    "text": "Charged me twice &amp; closed the ticket.<p>I&#x27;m done.",
    "time": 1772452700,
    "type": "comment",
}


def test_an_item_reads_as_the_search_reads_it() -> None:
    hit = {
        "objectID": "900120",
        "comment_text": COMMENT["text"],
        "author": "oak_table",
        "created_at_i": 1772452700,
        "parent_id": 900111,
    }
    (found,) = parse("hackernews", json.dumps({"hits": [hit]}).encode()).posts
    (again,) = rechecked("hackernews", COMMENT, "900120").posts
    assert again == found
    assert again.content_hash == found.content_hash


def test_what_only_the_search_says_is_kept() -> None:
    kept = KnownPost(external_id="900120", url="", extra={"story_title": "Kavira recalled"})
    page = HACKERNEWS.parse_recheck(answer(COMMENT), config("hackernews"), [kept])
    assert page.posts[0].extra == {"story_title": "Kavira recalled"}


@pytest.mark.parametrize("word", ["deleted", "dead"])
def test_a_deleted_item_is_gone(word: str) -> None:
    page = rechecked("hackernews", {"id": 900120, "type": "comment", word: True}, "900120")
    assert (page.gone, page.posts) == (("900120",), ())


def test_an_item_that_says_nothing_of_ours_changes_nothing() -> None:
    for body in ("null", {**COMMENT, "id": 1}, "[]"):
        page = rechecked("hackernews", body, "900120")
        assert (page.posts, page.gone, page.problems) == ((), (), ())
    with pytest.raises(DriftError):
        rechecked("hackernews", "<html>", "900120")


def test_another_site_s_search_has_items_only_where_that_is_set() -> None:
    def asked(**params: str) -> str | None:
        request = HACKERNEWS.recheck(config("hackernews", **params), known("900120"))
        return request.url if request else None

    assert asked() == "https://hacker-news.firebaseio.com/v0/item/900120.json"
    assert asked(base_url="https://mirror.example") is None
    items = asked(base_url="https://mirror.example", items_url="https://items.example/")
    assert items == "https://items.example/v0/item/900120.json"
    strange = replace(known("900120")[0], external_id="900120/../x")
    assert HACKERNEWS.recheck(config("hackernews"), [strange]) is None
