"""Every spider reads its saved pages exactly as it is written beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from crawlers.catalogue import spiders
from crawlers.errors import CrawlError
from tests.crawlers.saved_pages import SavedPage, parse, saved_pages


@pytest.mark.parametrize("page", saved_pages(), ids=lambda page: f"{page.kind}/{page.path.name}")
def test_a_saved_page_is_read_as_expected(page: SavedPage) -> None:
    assert page.expectation.exists(), (
        f"{page.path.name} has no expectation; write {page.expectation.name} by hand, reviewed"
    )
    expected = page.expected
    given = expected.pop("given", {})
    assert page.read(given) == expected


@pytest.mark.parametrize("kind", sorted(spiders()))
def test_a_spider_has_pages_that_are_first_last_empty_and_broken(kind: str) -> None:
    expected = [page.expected for page in saved_pages(kind)]
    assert sum(bool(one.get("posts")) for one in expected) >= 2
    assert any(one.get("posts") == [] and one["announced"] == 0 for one in expected)
    assert any("error" in one for one in expected)
    assert any(one.get("problems") for one in expected)
    posts = [post for one in expected for post in one.get("posts", ())]
    assert all(post["external_id"] and (post["text"] or post["title"]) for post in posts)


def test_expectations_belong_to_pages() -> None:
    pages = {page.expectation for page in saved_pages()}
    stray = [path for page in pages for path in page.parent.glob("*.expected.json")]
    assert set(stray) == pages


@pytest.mark.parametrize("kind", sorted(spiders()))
def test_no_two_spiders_read_the_same_from_a_page(kind: str) -> None:
    """From no page of a kind does another spider read all that its own does: none is a copy.

    Tried are those that might: that have pages of the same ending, and of as many posts if theirs
    never hold more than one. A copy would show on its own pages too, where the tables are turned.
    """
    for page in _full_pages()[kind]:
        body, given = page.path.read_bytes(), page.expected.get("given", {})
        own = _said(kind, body, given)
        assert own, page.path.name
        given.pop("config", None)
        alike = [other for other in _rivals(kind, page) if _said(other, body, given) == own]
        assert not alike, (page.path.name, alike)


def _rivals(kind: str, page: SavedPage) -> list[str]:
    most = len(page.expected["posts"])
    return [
        other
        for other in spiders()
        if other != kind
        and page.path.suffix in _endings()[other]
        and (most == 1 or other not in _of_single_posts())
    ]


@cache
def _full_pages() -> dict[str, list[SavedPage]]:
    """The pages of each kind that hold posts."""
    return {
        kind: [page for page in saved_pages(kind) if page.expected.get("posts")]
        for kind in spiders()
    }


@cache
def _endings() -> dict[str, set[str]]:
    return {kind: {page.path.suffix for page in pages} for kind, pages in _full_pages().items()}


@cache
def _of_single_posts() -> frozenset[str]:
    """Kinds with a post a page, which may take long to find it in a long one."""
    return frozenset(
        kind
        for kind, pages in _full_pages().items()
        if all(len(page.expected["posts"]) == 1 for page in pages)
    )


def _said(kind: str, body: bytes, given: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Id, text and address of each post; nothing when the spider refuses the page."""
    try:
        posts = parse(kind, body, **given).posts
    except CrawlError:
        return []
    return [(post.external_id, post.text, post.url) for post in posts]
