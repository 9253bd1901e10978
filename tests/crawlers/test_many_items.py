"""A page of ten times as many items takes about ten times as long, and not a hundred times."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crawlers.contract import Page
from crawlers.families import portions
from crawlers.reading.markup import tree_of
from crawlers.spiders.wordpress_page import _comments
from tests.crawlers.enlarged import Enlarged, page_of
from tests.crawlers.saved_pages import parse

FEW, MANY = 90, 900
#: Linear is 10, quadratic 100.
MOST_TIMES = 30
KINDS = (
    "bbb",
    "ceneo",
    "complaintsboard",
    "consumeraffairs",
    "delfi",
    "feed",
    "gowork",
    "phpbb",
    "pissedconsumer",
    "schema-org",
    "telegram",
    "vbulletin",
    "wordpress-page",
    "xenforo",
)


def seconds(read: Callable[[], Page], *, times: int = 2) -> float:
    """CPU time of the fastest of so many readings."""
    took = []
    for _ in range(times):
        began = time.process_time()
        read()
        took.append(time.process_time() - began)
    return min(took)


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_for_a_page_grows_with_its_items_and_not_with_their_square(kind: str) -> None:
    large = Enlarged(page_of(kind))
    few, many = large.body(FEW), large.body(MANY)
    assert len(large.read(many).posts) >= MANY
    assert seconds(lambda: large.read(many)) < MOST_TIMES * seconds(lambda: large.read(few))


@pytest.mark.parametrize("kind", ["bbb", "feed", "wordpress-page"])
def test_items_behind_those_of_one_go_take_next_to_no_time(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "MOST", FEW)
    large = Enlarged(page_of(kind))
    few, many = large.body(FEW), large.body(20 * FEW)
    few_took = seconds(lambda: large.read(few), times=5)
    assert seconds(lambda: large.read(many), times=5) < 8 * few_took


def test_comments_inside_comments_are_not_looked_through_by_each_above_them() -> None:
    page = _nested(400)
    assert len(parse("wordpress-page", page.encode()).posts) == 400
    comments = _comments(tree_of(page))
    # An item, an author, a division and a paragraph each.
    assert [len(one.own) for one in comments] == [4] * 400


def _nested(levels: int) -> str:
    """Each comment answers the one above it."""
    opened = "".join(
        f'<li id="comment-{10_000 + one}"><b class="fn">A</b><div class="comment-content">'
        f"<p>No {one}</p></div>"
        for one in range(levels)
    )
    return f"<html lang='en'><body>{opened}{'</li>' * levels}</body></html>"


def test_headings_without_end_are_refused_as_soon_as_they_are_counted() -> None:
    large = Enlarged(page_of("ripoffreport", name="report_rebutted"))
    few, many = large.body(300), large.body(3000)
    assert "parts" in large.read(many).problems[0].reason
    assert seconds(lambda: large.read(many)) < MOST_TIMES * seconds(lambda: large.read(few))
