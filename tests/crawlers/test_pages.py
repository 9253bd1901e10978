"""Every spider reads its saved pages exactly as it is written beside them."""

from __future__ import annotations

from itertools import combinations

import pytest

from crawlers.catalogue import spiders
from crawlers.errors import CrawlError
from tests.crawlers.saved_pages import SavedPage, parse, saved_pages

Read = dict[SavedPage, dict[str, list[tuple[str, str, str]]]]


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


def test_no_two_spiders_read_the_same_from_a_page(every_spider_on_every_page: Read) -> None:
    """Whoever copies a spider must change what it reads."""
    for page, read in every_spider_on_every_page.items():
        kinds = sorted(kind for kind, said in read.items() if said)
        alike = [
            (one, other)
            for one, other in combinations(kinds, 2)
            if read[one] == read[other] and page.kind in (one, other)
        ]
        assert not alike, (page.path.name, alike)


@pytest.fixture(scope="module")
def every_spider_on_every_page() -> Read:
    return {
        page: {kind: _said(kind, page) for kind in spiders()}
        for page in saved_pages()
        if page.expected.get("posts")
    }


def _said(kind: str, page: SavedPage) -> list[tuple[str, str, str]]:
    """Id, text and address of each post; nothing when the spider refuses the page."""
    try:
        posts = parse(kind, page.path.read_bytes()).posts
    except CrawlError:
        return []
    return [(post.external_id, post.text, post.url) for post in posts]
