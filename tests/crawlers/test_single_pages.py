"""A list links pages of single posts, and one of them cannot be read: over real HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from crawlers.contract import Page, Problem
from crawlers.engine.alone import Alone, look_at_single
from crawlers.engine.verdict import Tally, of_whole_run
from pipeline.ingest import Kept
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Site, page

VIDEO = "<html><head><title>Watch</title></head><body><video src='/v.mp4'></video></body></html>"


def _article(name: str) -> str:
    said = "<p>The kettle of Kavira burned after three days, and nobody answered our letters.</p>"
    head = f"<title>{name}</title>"
    body = f"<article><h1>Test {name}</h1>{said * 4}</article>"
    return f"<html><head>{head}</head><body>{body}</body></html>"


def _publish(site: Site, good: Sequence[str] = (), bad: Sequence[str] = ()) -> None:
    """A list of these, the newest first."""
    for name in (*good, *bad):
        site.pages[f"/a/{name}"] = page(_article(name) if name in good else VIDEO)
    links = "".join(f'<h2><a href="/a/{name}">{name}</a></h2>' for name in sorted((*good, *bad)))
    site.pages["/"] = page(f"<html><body>{links}</body></html>")


def _source(crawler: Crawler, site: Site) -> int:
    return crawler.source(f"{site.url}/", kind="article", params={"links": "h2 a"})


def _asked(site: Site, name: str) -> int:
    return site.paths().count(f"/a/{name}")


def test_one_new_article_that_cannot_be_read_is_a_dead_letter_and_no_drift(
    crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    _publish(site, good=["z"])
    assert crawler.crawl(source).outcome == "ok"
    _publish(site, good=["z"], bad=["y"])
    for _ in range(5):
        run = crawler.crawl(source)
        assert run.outcome == "ok", run.reason
    # It may be broken for a moment only, so it is asked for some times, and then left.
    assert _asked(site, "y") == 3
    letters = crawler.dead_letters(source)
    assert {letter.reason for letter in letters} == {
        'the page has no article; its title is "Watch"'
    }
    assert crawler.row(source).failures == 0
    _publish(site, good=["z", "x"], bad=["y"])
    assert crawler.crawl(source).posts_new == 1


def test_an_article_that_was_broken_for_a_moment_is_read_later(
    crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    _publish(site, bad=["y"])
    run = crawler.crawl(source)
    assert (run.outcome, run.reason) == ("ok", "0 posts, 0 new; 1 page could not be read")
    _publish(site, good=["y"])
    assert crawler.crawl(source).posts_new == 1


def test_articles_none_of_which_can_be_read_are_drift_until_one_is(
    crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    _publish(site, good=["z"])
    crawler.crawl(source)
    # The site has another layout: one new article comes with each run.
    for names, outcome in (("y", "ok"), ("xy", "ok"), ("wxy", "drift"), ("vwxy", "drift")):
        _publish(site, good=["z"], bad=names)
        run = crawler.crawl(source)
        assert run.outcome == outcome, run.reason
    assert run.reason == "none of the last 4 pages of single posts could be read"
    _publish(site, good=[*"vwxyz"])
    run = crawler.crawl(source)  # four pages, of which one is the list
    assert (run.outcome, run.posts_new) == ("ok", 3), run.reason


def test_several_that_cannot_be_read_keep_no_other_from_being_asked_for() -> None:
    tally, kept = Tally(), Kept()
    for name in "abcd":
        bad = Problem(reason="no article", url=f"https://gazeta.kavira.example/{name}")
        tally = tally.with_page(Page(problems=(bad,), is_single=True), kept)
    assert (tally.dead, tally.is_hopeless) == (4, False)
    assert of_whole_run(tally, is_resumed=False).is_whole


def _run(last: Alone | None, unread: str, posts: int) -> Alone:
    return look_at_single(list(unread), posts, last.stored if last else {})


def test_the_same_page_asked_for_again_counts_once() -> None:
    last = None
    for _ in range(20):
        last = _run(last, "ab", 0)
        assert not last.reason
    assert _run(last, "abc", 0).is_blind


def test_what_was_unreadable_beside_good_ones_tells_nothing_later() -> None:
    last = _run(None, "abc", 5)
    assert not last.reason
    last = _run(last, "abc", 0)
    assert not last.reason
    assert not _run(last, "abcde", 0).reason
    assert _run(last, "abcdef", 0).is_blind


def test_most_of_the_new_ones_are_odd_and_may_be_usual() -> None:
    last = _run(None, "abc", 1)
    assert (bool(last.reason), last.is_blind) == (True, False)
    # Until it is taken for usual, the same is as odd again.
    assert _run(last, "abc", 1).reason
    assert not look_at_single([*"abc"], 1, last.accepted).reason


def test_a_quiet_time_between_hides_nothing() -> None:
    last = _run(_run(None, "a", 0), "b", 0)
    for _ in range(500):
        last = _run(last, "", 0)
        assert not last.reason
    assert _run(last, "c", 0).is_blind
