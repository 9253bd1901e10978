"""kill -9 of a crawl, fifty times: every post is kept, and next to no page is asked for twice."""

from __future__ import annotations

import os
import random
import signal
import sys

import pytest
from sqlalchemy import Engine

from tests.crawlers.conftest import Crawler, start_child
from tests.crawlers.site import serving
from tests.crawlers.walking_site import Board

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 50
POSTS = 1_500
PER_LIST = 25


def test_fifty_kills_of_a_crawl_miss_no_post_and_fetch_few_pages_again(
    engine: Engine, database_url: str
) -> None:
    draw = random.Random(os.environ.get("GOODNAME_SEED", "50"))
    with serving() as site:
        board = Board(site, posts=POSTS, per_list=PER_LIST)
        # Where each of the deaths comes: in the midst of a request, spread over the whole walk.
        deaths = sorted(draw.sample(range(10, POSTS, 12), KILLS), reverse=True)
        crawler = _child(engine, database_url, site.address)
        source = crawler.source(site.url, kind="walker")
        kills = 0
        try:
            for number in deaths:
                board.dies_at = (f"/post/{number}", crawler.process, draw.uniform(0, 0.03))
                crawler.send(source)
                _await_death(crawler)
                kills += 1
                crawler = _child(engine, database_url, site.address)
            assert crawler.crawl(source).outcome == "ok"
        finally:
            crawler.process.kill()
            _await_death(crawler)
        row = crawler.row(source)
        assert (row.resume, row.cursor["newest"]) == (None, POSTS)
        assert board.missing(crawler.texts(source)) == []
        pages = site.paths()
        again = len(pages) - len(set(pages))
    share = again / len(set(pages))
    print(f"{kills} kills, {len(set(pages))} pages, {again} fetched again ({share:.1%})")  # noqa: T201
    assert kills == KILLS
    assert share <= 0.05


def _child(engine: Engine, url: str, address: str) -> Crawler:
    process = start_child(
        url,
        command=(sys.executable, "-m", "tests.crawlers.walking"),
        allowed_addresses=[address],
        max_pages_per_run=10**6,
        timeout_seconds=30.0,
    )
    return Crawler(engine, process)


def _await_death(crawler: Crawler) -> None:
    process = crawler.process
    assert process.wait(timeout=300) == -signal.SIGKILL
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()
