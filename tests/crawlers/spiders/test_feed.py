"""Feeds: which entries are one item, and which only look like it."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest

from core.types import Post
from crawlers.contract import Cursor, Page
from tests.crawlers.saved_pages import parse

MORNING, NOON = "Mon, 02 Mar 2026 08:00:00 GMT", "Mon, 02 Mar 2026 12:00:00 GMT"


def item(text: str, *, guid: str = "7", link: str = "https://talk.example/7", **more: str) -> str:
    fields = {"guid": guid, "link": link, "title": "The lid", "description": text, **more}
    said = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value)
    return f"<item>{said}</item>"


def others(count: int) -> list[str]:
    return [
        item(f"Kettle {n} is fine.", guid=f"o{n}", link=f"https://talk.example/o{n}")
        for n in range(count)
    ]


def page_of(*items: str, ahead: Cursor | None = None) -> Page:
    body = f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>"
    return parse("feed", body.encode(), ahead=ahead)


def read(*items: str) -> tuple[list[Post], int | None]:
    page = page_of(*items)
    assert not page.problems
    return [post for post in page.posts if "Kettle" not in post.text], page.announced


@pytest.mark.parametrize("around", [0, 5])
@pytest.mark.parametrize("link", ["https://talk.example/7", ""])
def test_an_item_that_is_listed_twice_is_one_post_with_the_id_that_it_has_alone(
    around: int, link: str
) -> None:
    old = item("It broke.", link=link, pubDate=MORNING)
    new = item("It broke. They answered.", link=link, title="The lid, again", pubDate=NOON)
    alone, _ = read(old, *others(around))
    for both in ((old, new), (new, old)):
        (post,), announced = read(*both, *others(around))
        assert post.external_id == alone[0].external_id == "7"
        assert post.text == "It broke. They answered."
        assert announced == 1 + around


def test_without_dates_the_first_version_counts() -> None:
    (post,), _ = read(item("Newest first."), item("Older."), *others(2))
    assert post.text == "Newest first."


def test_an_item_that_differs_only_in_its_counters_is_announced_once() -> None:
    posts, announced = read(item("It broke.", category="lids"), item("It broke."), *others(1))
    assert (len(posts), announced) == (1, 2)


@pytest.mark.parametrize(
    "told_apart",
    [
        [{"author": "Ana"}, {"author": "Ben"}],
        [{"link": "https://talk.example/a"}, {"link": "https://talk.example/b"}],
        [{"guid": ""}, {"guid": ""}],
    ],
)
def test_what_others_wrote_or_stands_elsewhere_is_another_post(
    told_apart: list[dict[str, Any]],
) -> None:
    texts = ["It broke.", "Mine, too."]
    items = [item(text, **more) for text, more in zip(texts, told_apart, strict=True)]
    posts, announced = read(*items, *others(4))
    assert sorted(post.text for post in posts) == texts
    assert len({post.external_id for post in posts}) == 2
    assert announced == 6


def test_a_guid_that_most_items_share_names_none_of_them() -> None:
    posts, _ = read(*(item(f"Comment {n}.") for n in range(4)), *others(1))
    assert len(posts) == 4


@pytest.mark.parametrize("link", ["https://talk.example/7", ""])
def test_a_guid_that_was_shared_once_names_no_item_that_is_listed_alone(link: str) -> None:
    both = page_of(
        item("It broke.", author="Ana", link=link), item("Mine, too.", author="Ben", link=link)
    )
    ids = {post.text: post.external_id for post in both.posts}
    alone = page_of(item("Mine, too.", author="Ben", link=link), *others(3), ahead=both.ahead)
    assert alone.posts[0].external_id == ids["Mine, too."]
    other = page_of(item("All fine.", author="Eva", link=link), ahead=alone.ahead)
    assert other.posts[0].external_id not in ids.values()


def test_shared_guids_are_remembered_up_to_a_limit() -> None:
    twins = [item(f"By {who}.", author=who, guid=f"g{n}") for n in range(400) for who in "ab"]
    first = page_of(*twins)
    assert len(first.ahead["shared"]) == 500
    assert page_of(*others(3), ahead=first.ahead).ahead == first.ahead
    assert "shared" not in page_of(*others(3)).ahead


def test_items_without_a_name_have_one_id_whoever_stands_beside_them() -> None:
    nameless = item("It broke.", guid="", link="")
    alone, _ = read(nameless)
    twice, announced = read(nameless, item("It broke.", guid="", link="", category="lids"))
    assert [post.external_id for post in twice] == [alone[0].external_id]
    assert announced == 1
