"""WordPress: pages are read to the end, with the headers that count them or without."""

from __future__ import annotations

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import Page
from crawlers.reading.web_address import query_of
from tests.crawlers.talking import answer, config

WORDPRESS = spiders()["wordpress"]


def _page(count: int, **headers: str) -> Page:
    request = WORDPRESS.start(config("wordpress"), cursor={})
    comments = [{"id": number, "content": {"rendered": "<p>words</p>"}} for number in range(count)]
    fetched = answer(comments, url=request.url, headers=headers)
    return WORDPRESS.parse(fetched, config("wordpress"), cursor={}, ahead={})


@pytest.mark.parametrize(
    ("count", "pages", "goes_on"),
    [(100, "2", True), (100, "1", False), (3, "2", True)]
    + [(100, header, True) for header in ("", "²", "many")]
    + [(3, header, False) for header in ("", "²", "many")],
)
def test_the_header_or_a_full_page_says_that_there_are_more(
    count: int, pages: str, *, goes_on: bool
) -> None:
    page = _page(count, **{"x-wp-totalpages": pages})
    assert (page.next is not None) is goes_on
    assert page.next is None or query_of(page.next.url)["page"] == "2"
