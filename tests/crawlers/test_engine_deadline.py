"""A run has so much time: what it read is kept, its slot is freed, the next run goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from crawlers.children import ChildLostError, Children
from crawlers.wire import Greeting
from tests.crawlers import site as bad
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.site import Site, page, posts, serving

_SECONDS = 1.5


@pytest.fixture
def hurried(engine: Engine, database_url: str) -> Iterator[tuple[Crawler, Site]]:
    """A child with little time for a run and more patience than that for an answer."""
    with serving() as site:
        limits = {"run_timeout_seconds": _SECONDS, "timeout_seconds": 60.0, "crawls_per_child": 2}
        with child(engine, database_url, site, **limits) as crawler:
            yield crawler, site


def test_a_run_that_takes_too_long_ends_and_the_next_goes_on(
    hurried: tuple[Crawler, Site],
) -> None:
    crawler, site = hurried
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    site.pages["/2"] = bad.drips_for_ever
    source = crawler.source(f"{site.url}/1")
    began = time.monotonic()
    run = crawler.crawl(source)
    assert time.monotonic() - began < 15  # a child's start, and far less than its answer takes
    assert (run.outcome, run.pages, run.posts_new) == ("error", 1, 1)
    assert (run.reason or "").startswith("took longer than 1.5 s")
    row = crawler.row(source)
    assert (row.failures, row.last_reason) == (1, run.reason)
    assert (row.resume or {})["next"]["url"] == f"{site.url}/2"
    # Its turn at the host is free again, and the slot: the next run goes on.
    site.pages["/2"] = page(posts(("b", "second")))
    site.asked.clear()
    assert crawler.crawl(source).outcome == "ok"
    assert site.paths() == ["/2"]
    assert crawler.texts(source) == ["first", "second"]


def test_a_run_that_waits_for_its_turn_at_a_host_ends_in_time_too(
    hurried: tuple[Crawler, Site],
) -> None:
    crawler, site = hurried
    site.pages["/slow"] = bad.drips_for_ever
    both = [crawler.source(f"{site.url}/slow"), crawler.source(f"{site.url}/slow")]
    for source in both:
        crawler.send(source)
    assert all("took longer" in crawler.heard().reason for _ in both)
    assert [crawler.last_run(source).outcome for source in both] == ["error", "error"]


def test_a_host_that_never_hands_out_its_rules_does_not_hold_a_run(
    hurried: tuple[Crawler, Site],
) -> None:
    crawler, site = hurried
    site.pages["/robots.txt"] = bad.drips_for_ever
    run = crawler.crawl(crawler.source(f"{site.url}/1"))
    assert (run.outcome, (run.reason or "")[:11]) == ("error", "took longer")
    assert site.paths() == []


def test_a_slow_source_that_comes_further_each_time_never_starts_over(
    hurried: tuple[Crawler, Site],
) -> None:
    crawler, site = hurried
    source = crawler.source(f"{site.url}/1")
    for number in range(1, 5):
        site.pages[f"/{number}"] = page(
            posts((f"p{number}", "text"), following=f"{site.url}/{number + 1}")
        )
        site.pages[f"/{number + 1}"] = bad.drips_for_ever
        run = crawler.crawl(source)
        assert (run.outcome, run.pages) == ("error", 1)
    assert (crawler.row(source).resume or {})["next"]["url"] == f"{site.url}/5"
    assert crawler.row(source).failures == 4


#: Gives signs of life, and never a report.
_NEVER_REPORTS = """
import json, time
input()
while True:
    print(json.dumps({"is": "tick", "rss": 1}), flush=True)
    time.sleep(0.1)
"""


async def test_a_child_that_does_not_end_a_late_run_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crawlers.children._LATE_SECONDS", 0.5)
    settings = Settings()
    crawl = settings.crawl.model_copy(update={"run_timeout_seconds": 0.5})
    greeting = Greeting(database_url="", crawl=crawl, log=settings.log)
    command = (sys.executable, "-c", _NEVER_REPORTS)
    async with Children(greeting, crawl, command=command) as children:
        with pytest.raises(ChildLostError, match=r"took longer than 0\.5 s") as lost:
            await children.crawl(7, is_alone=False)
    assert lost.value.suspects == {7}
