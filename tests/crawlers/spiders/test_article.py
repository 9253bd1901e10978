"""Articles of a list behind a wall that is there for a while."""

from __future__ import annotations

from typing import Any

from crawlers.catalogue import spiders
from crawlers.contract import Cursor, Fetched, Page
from tests.crawlers.saved_pages import FETCHED_AT

URL = "https://gazeta.kavira.example/"
ARTICLE = (
    "<html><head><title>Test</title></head><body><article><h1>Test</h1>"
    + "<p>The kettle of Kavira burned after three days, and nobody answered our letters.</p>" * 4
    + "</article></body></html>"
)
LIST = '<html><body><h2><a href="/a/1.html">One</a></h2></body></html>'


def read(body: str, *, status: int = 200, cursor: Cursor, ahead: Cursor, **state: Any) -> Page:
    spider = spiders()["article"]
    fetched = Fetched(
        url=f"{URL}a/1.html" if state else URL,
        status=status,
        headers={"content-type": "text/html"},
        body=body.encode(),
        fetched_at=FETCHED_AT,
        state=state,
    )
    config = spider.config(url=URL, links="h2 a")
    return spider.parse(fetched, config, cursor=cursor, ahead=ahead)


def run(cursor: Cursor, body: str, *, status: int = 200) -> tuple[Page | None, Cursor]:
    """A list of one article, and the article if it is asked for."""
    found = read(LIST, cursor=cursor, ahead=cursor)
    if found.next is None:
        return None, found.ahead
    page = read(body, status=status, cursor=cursor, ahead=found.ahead, **found.next.state)
    return page, page.ahead


def test_an_article_behind_a_wall_is_asked_for_again() -> None:
    page, cursor = run({}, "<title>Just a moment...</title>", status=403)
    assert page is not None
    assert len(page.problems) == 1
    page, cursor = run(cursor, ARTICLE)
    assert page is not None
    assert len(page.posts) == 1
    assert "tried" not in cursor
    assert run(cursor, ARTICLE)[0] is None


def test_an_article_that_is_no_article_is_left_alone_in_the_end() -> None:
    cursor: Cursor = {}
    for _ in range(3):
        page, cursor = run(cursor, "<html><body>Video</body></html>")
        assert page is not None
    assert run(cursor, ARTICLE)[0] is None


def test_a_link_to_the_comments_of_an_article_is_no_other_article() -> None:
    links = '<h2><a href="/a/1.html">One</a> <a href="/a/1.html#comments">3 comments</a></h2>'
    found = read(f"<html><body>{links}</body></html>", cursor={}, ahead={})
    assert found.next is not None
    assert found.next.state == {"asked": f"{URL}a/1.html", "waiting": []}


def test_an_article_that_is_gone_is_asked_for_once() -> None:
    _, cursor = run({}, "no", status=404)
    assert run(cursor, ARTICLE)[0] is None
