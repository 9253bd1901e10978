"""A page that was read well is kept, wherever its next one would lead: over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crawlers.conftest import Crawler
from tests.crawlers.saved_pages import FOLDER
from tests.crawlers.site import Site, page, posts, redirect


@pytest.mark.parametrize(
    ("following", "outcome"),
    [
        ("nonsense", "drift"),
        ("https://[::1/2", "drift"),
        (5, "drift"),
        (["/2"], "drift"),
        ("https://board.example/\x00\ud800", "drift"),
        ("file:///etc/passwd", "blocked"),
        ("http://10.0.0.1/2", "blocked"),
        ("https://board.example:22/2", "blocked"),
        ("https://board/2", "blocked"),
    ],
    ids=lambda one: str(one).encode("ascii", "replace").decode().replace("\x00", "NUL")[:30],
)
def test_a_next_page_that_nobody_could_ask_for_loses_no_post(
    following: Any, outcome: str, crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=following))
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new, run.pages) == (outcome, 1, 1), run.reason
    assert crawler.texts(source) == ["first"]
    row = crawler.row(source)
    assert (row.cursor, row.resume) == ({}, None)
    # What is new at the top is read by the next run, and once the link is mended, the cursor moves.
    site.pages["/1"] = page(posts(("b", "second"), ("a", "first")))
    assert crawler.crawl(source).outcome == "ok"
    assert crawler.texts(source) == ["first", "second"]
    assert crawler.row(source).cursor["newest"] == "b"


def test_a_next_page_that_leads_inside_is_not_where_the_next_run_starts(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    site.pages["/2"] = redirect("http://10.0.0.1/2")
    source = crawler.source(f"{site.url}/1")
    assert crawler.crawl(source).outcome == "blocked"
    site.pages["/1"] = page(posts(("b", "new"), ("a", "first"), following=f"{site.url}/2"))
    crawler.crawl(source)
    assert crawler.texts(source) == ["first", "new"]
    assert crawler.row(source).cursor == {}


def test_a_next_page_that_robots_txt_forbids_is_not_where_the_next_run_starts(
    crawler: Crawler, new_site: Site
) -> None:
    new_site.pages["/robots.txt"] = page("User-agent: *\nDisallow: /2\n")
    new_site.pages["/1"] = page(posts(("a", "first"), following=f"{new_site.url}/2"))
    source = crawler.source(f"{new_site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, "robots.txt forbids" in (run.reason or "")) == ("blocked", True)
    new_site.pages["/1"] = page(posts(("b", "new"), following=f"{new_site.url}/2"))
    crawler.crawl(source)
    assert crawler.texts(source) == ["first", "new"]
    assert "/2" not in new_site.paths()


def test_posts_above_a_link_that_a_spider_does_not_follow_are_kept(
    crawler: Crawler, site: Site
) -> None:
    circles = (FOLDER / "phpbb" / "goes_in_circles.html").read_text("utf-8")
    site.pages["/viewtopic.php"] = page(circles)
    source = crawler.source(f"{site.url}/viewtopic.php?t=1207", kind="phpbb")
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("drift", 1)
    assert run.reason == "the next page would be no later one (./viewtopic.php?t=1207)"
    assert crawler.row(source).cursor == {}
