"""The cursor moves when every page down to the old one was read and committed, never before."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from crawlers.catalogue import spiders
from crawlers.contract import Request
from crawlers.engine.memory import (
    KEY,
    check_storable,
    conditional,
    resume_to_store,
    resumed,
    unconditional,
    validators,
)
from tests.crawlers.conftest import Crawler, child, start_child
from tests.crawlers.saved_pages import config_of
from tests.crawlers.site import Site, page, serving
from tests.crawlers.walking_site import Board


def _cursor(crawler: Crawler, source: int) -> dict[str, Any]:
    return {key: it for key, it in crawler.row(source).cursor.items() if key != KEY}


def _walk(crawler: Crawler, source: int, *, most: int = 20) -> list[str]:
    """Crawl until a run is whole; the outcomes on the way."""
    outcomes = []
    for _ in range(most):
        run = crawler.crawl(source)
        outcomes.append(run.outcome)
        if crawler.row(source).resume is None and run.outcome == "ok":
            return outcomes
    raise AssertionError(outcomes)


def test_a_capped_run_leaves_the_cursor_and_what_waits(crawler: Crawler, site: Site) -> None:
    board = Board(site, posts=10, per_list=4)
    source = crawler.source(site.url, kind="walker")
    for _ in range(3):  # of four pages each: no list is done within one run
        assert crawler.crawl(source).outcome == "ok"
        assert _cursor(crawler, source) == {}
    assert crawler.row(source).resume is not None
    # What comes meanwhile at the top is for the next whole run.
    board.publish(2)
    _walk(crawler, source)
    assert _cursor(crawler, source) == {"newest": 10}
    assert set(board.missing(crawler.texts(source))) == {"post 11", "post 12"}
    _walk(crawler, source)
    assert board.missing(crawler.texts(source)) == []
    assert _cursor(crawler, source) == {"newest": 12}
    assert board.asked_twice() == []


def test_posts_that_wait_in_a_state_survive_an_error(crawler: Crawler, site: Site) -> None:
    board = Board(site, posts=6, per_list=6)
    source = crawler.source(site.url, kind="walker")
    board.fails_at = "/post/5"
    assert [crawler.crawl(source).outcome, crawler.crawl(source).outcome] == ["error", "error"]
    assert _cursor(crawler, source) == {}
    board.fails_at = ""
    _walk(crawler, source)
    assert board.missing(crawler.texts(source)) == []
    assert _cursor(crawler, source) == {"newest": 6}


def test_a_page_that_nobody_understands_does_not_move_the_cursor(
    crawler: Crawler, site: Site
) -> None:
    board = Board(site, posts=3, per_list=3)
    source = crawler.source(site.url, kind="walker")
    _walk(crawler, source)
    board.publish(3)
    whole = site.pages["/post/5"]
    site.pages["/post/5"] = page("<html>maintenance</html>")
    assert crawler.crawl(source).outcome == "drift"
    assert _cursor(crawler, source) == {"newest": 3}
    site.pages["/post/5"] = whole
    _walk(crawler, source)
    assert board.missing(crawler.texts(source)) == []
    assert _cursor(crawler, source) == {"newest": 6}


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_no_post_is_missed(seed: int, crawler: Crawler, site: Site) -> None:
    """Posts come, pages fail, runs are capped: a whole run at the end has all of them."""
    draw = random.Random(seed)
    board = Board(site, posts=5, per_list=3)
    source = crawler.source(site.url, kind="walker")
    before = -1
    for _ in range(12):
        board.publish(draw.randrange(3))
        failing = draw.choice(["", "", "/list", f"/post/{draw.randrange(1, board.newest + 1)}"])
        board.fails_at = failing
        crawler.crawl(source)
        cursor = _cursor(crawler, source).get("newest", -1)
        assert cursor >= before
        kept = crawler.texts(source)
        # Everything up to the cursor is there: that is what a cursor says.
        assert [one for one in board.missing(kept) if int(one.split()[1]) <= cursor] == []
        before = cursor
    board.fails_at = ""
    _walk(crawler, source)
    _walk(crawler, source)
    assert board.missing(crawler.texts(source)) == []
    assert _cursor(crawler, source) == {"newest": board.newest}


def test_a_run_that_dies_goes_on_where_it_was_committed(engine: Engine, database_url: str) -> None:
    with serving() as site:
        allowed = [site.address]
        board = Board(site, posts=5, per_list=5)
        first = Crawler(engine, start_child(database_url, allowed_addresses=allowed))
        source = first.source(site.url, kind="walker")
        board.dies_at = ("/post/3", first.process, 0.0)
        first.send(source)
        first.process.wait()
        for stream in (first.process.stdin, first.process.stdout):
            assert stream is not None
            stream.close()
        assert first.row(source).cursor == {}
        with child(engine, database_url, site) as second:
            _walk(second, source)
            assert board.missing(second.texts(source)) == []
            assert _cursor(second, source) == {"newest": 5}
        # Only the page that it died on was asked for again.
        assert board.asked_twice() == ["/post/3"]


def test_what_waits_is_kept_as_it_was() -> None:
    request = Request(
        url="https://board.example/p/2",
        method="POST",
        body="{}",
        headers={"Accept": "x"},
        state={"waiting": [1, {"a": None}]},
        cost=5,
        bucket="search",
    )
    stored = resume_to_store(request, ahead={"newest": 3}, seen={}, made_for="me")
    assert resumed(stored, made_for="me") == (request, {"newest": 3})
    assert resumed(stored, made_for="you") is None


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"waiting": "a\x00b"}, "NUL"),
        ({"waiting": "a\\\x00b"}, "NUL"),
        ({"wait\x00ing": 1}, "NUL"),
        ({"waiting": float("nan")}, "JSON"),
        ({"waiting": "\ud800"}, "surrogates"),
        ({"waiting": "x" * 1_000_001}, "longer than"),
        ({"waiting": object()}, "JSON"),
    ],
)
def test_what_cannot_be_remembered_is_refused_in_words(state: dict[str, Any], why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=why):
        check_storable(Request(url="https://board.example/", state=state), ahead={})
    with pytest.raises((TypeError, ValueError)):
        check_storable(None, ahead=state)


@pytest.mark.parametrize("said", [r"\u0000", r"\\u0000", "\\\\u0000 \\n", "x\\"])
def test_words_about_an_escape_are_no_nul(said: str) -> None:
    request = Request(url="https://board.example/", state={said: [said]}, body=json.dumps(said))
    check_storable(request, ahead={"newest": said})
    stored = resume_to_store(request, ahead={"newest": said}, seen={}, made_for="me")
    assert resumed(json.loads(json.dumps(stored)), made_for="me") == (request, {"newest": said})


def test_only_a_get_is_asked_conditionally() -> None:
    get = Request(url="https://board.example/")
    post = Request(url="https://board.example/", method="POST", body="{}")
    seen = validators(get, {"etag": '"1"'})
    stored = {KEY: {**seen, "for": "me"}}
    assert conditional(get, stored, made_for="me").headers == {"If-None-Match": '"1"'}
    assert conditional(post, stored, made_for="me") == post
    assert validators(post, {"etag": '"1"'}) == {}


def test_a_first_page_that_hides_what_is_below_it_is_always_read() -> None:
    page = Request(url="https://board.example/", may_be_unchanged=False)
    stored = {KEY: {"url": page.url, "etag": '"1"', "for": "me"}}
    assert conditional(page, stored, made_for="me") == page
    assert validators(page, {"etag": '"1"'}) == {}


@pytest.mark.parametrize("kind", ["facebook", "youtube", "ripoffreport", "ceneo", "gowork"])
def test_what_stands_below_an_unchanged_first_page_is_not_missed(kind: str) -> None:
    spider = spiders()[kind]
    first = spider.start(spider.config(**config_of(kind)), cursor={})
    assert not first.may_be_unchanged


@pytest.mark.parametrize(("links", "may_be"), [("h2 a", False), (None, True)])
def test_articles_of_an_unchanged_list_are_not_missed(links: str | None, may_be: bool) -> None:
    spider = spiders()["article"]
    config = spider.config(url="https://kavira.example/", links=links)
    assert spider.start(config, cursor={}).may_be_unchanged is may_be


def test_a_page_is_the_same_page_however_it_is_asked_for() -> None:
    page = Request(url="https://board.example/", headers={"Accept": "text/html"})
    stored = {KEY: {"url": page.url, "etag": '"1"', "last-modified": "today", "for": "me"}}
    assert unconditional(conditional(page, stored, made_for="me")) == page
    assert unconditional(replace(page, may_be_unchanged=False)) == page
