"""One host, one child: with several children too, a host meets one visitor at a time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.database import Urls
from core.queue import defer_crawl
from core.settings import Settings
from crawlers.catalogue import spiders
from crawlers.children import Children
from crawlers.hosts import host_of
from crawlers.wire import Greeting, Report
from crawlers.worker import _Worker
from tests.crawlers.keyed import Keyed
from tests.crawlers.plain import Plain
from tests.crawlers.site import Asked, serving
from tests.crawlers.working import runs, wait_for, working
from tests.factories import add_source

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Board</title>
<item><guid>1</guid><title>Parcel</title><description>It never came.</description></item>
</channel></rss>"""


def test_a_source_is_at_home_where_its_first_request_goes() -> None:
    known = {"plain": Plain(), "keyed": Keyed()}
    params = {"url": "https://Board.example:8080/x"}
    assert host_of("plain", params, spiders=known) == "board.example"
    assert host_of("keyed", params, spiders=known) == "board.example"
    assert host_of("hackernews", {"query": "x"}, spiders=spiders()) == "hn.algolia.com"


def test_what_is_wrong_with_a_source_is_left_to_its_run() -> None:
    assert host_of("plain", {"colour": "red"}, spiders={"plain": Plain()}) == "plain"
    assert host_of("plain", {"url": "nonsense"}, spiders={"plain": Plain()}) == "plain"
    assert host_of("gone", {}, spiders={}) == "gone"


#: A child that crawls nothing for a moment and says who it is, and when it began and ended.
CHILD = """
import json, os, sys, threading, time
def say(**message): sys.stdout.write(json.dumps(message) + chr(10)); sys.stdout.flush()
def crawl(job):
    began = time.monotonic()
    time.sleep(0.2)
    say(**{"is": "report"}, job=job, outcome=str(os.getpid()), reason=f"{began} {time.monotonic()}")
sys.stdin.readline()
say(**{"is": "tick"}, rss=1)
for line in sys.stdin:
    threading.Thread(target=crawl, args=[json.loads(line)["job"]]).start()
"""


@asynccontextmanager
async def _children(count: int) -> AsyncIterator[Children]:
    settings = Settings()
    crawl = settings.crawl.model_copy(update={"children": count})
    greeting = Greeting(database_url="", crawl=crawl, log=settings.log)
    async with Children(greeting, crawl, command=(sys.executable, "-c", CHILD)) as children:
        yield children


def _overlap(one: Report, other: Report) -> bool:
    (began, ended), (later, _) = sorted(
        tuple(map(float, report.reason.split())) for report in (one, other)
    )
    return began < later < ended


async def test_crawls_of_a_host_go_to_its_child_and_hosts_are_shared_out() -> None:
    async with _children(2) as children:
        hosts = ["a.example", "b.example"] * 4
        reports = await asyncio.gather(
            *(children.crawl(n, is_alone=False, host=host) for n, host in enumerate(hosts))
        )
        homes = {(host, one.outcome) for host, one in zip(hosts, reports, strict=True)}
        assert len(homes) == 2
        assert len({pid for _, pid in homes}) == 2
        # Also later, when that child has more to do than the other.
        again = await asyncio.gather(
            *(children.crawl(n, is_alone=False, host="a.example") for n in range(3))
        )
        assert {("a.example", one.outcome) for one in again} < homes


async def test_a_suspect_that_is_crawled_alone_waits_until_its_host_is_left_in_peace() -> None:
    async with _children(2) as children:
        first = asyncio.create_task(children.crawl(1, is_alone=False, host="a.example"))
        await asyncio.sleep(0.05)
        alone = asyncio.create_task(children.crawl(2, is_alone=True, host="a.example"))
        await asyncio.sleep(0.05)
        third = asyncio.create_task(children.crawl(3, is_alone=False, host="a.example"))
        one, other, last = await asyncio.gather(first, alone, third)
        assert one.outcome != other.outcome
        assert not _overlap(one, other)
        assert not _overlap(other, last)


def test_a_worker_with_two_children_sends_sources_of_one_host_to_one(
    engine: Engine, database_url: str
) -> None:
    at_once: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def slowly(asked: Asked) -> None:
        host = asked.headers["host"].partition(":")[0]
        at_once[host] += 1
        most[host] = max(most[host], at_once[host])
        time.sleep(0.3)
        at_once[host] -= 1
        asked.answer(body=FEED, Content_Type="application/rss+xml")

    with serving() as site:
        hosts = ("127.0.0.1", "localhost")
        reach = [f"{host}:{site.port}" for host in hosts]
        site.pages["/feed"] = slowly
        with working(database_url, children=2, crawls_per_child=4, allowed_addresses=reach):
            sources = [
                _feed(engine, f"http://{h}:{site.port}/feed?{n}") for h in hosts for n in "123"
            ]
            wait_for(
                lambda: all(
                    [run.outcome for run in runs(engine, one)] == ["ok"] for one in sources
                ),
                seconds=100,
            )
    assert most == {"127.0.0.1": 1, "localhost": 1}


async def test_a_host_is_known_also_where_one_child_is_kept(
    engine: Engine, database_url: str
) -> None:
    """A suspect gets a second child, which does not know whose turn it is in the first."""
    source = _feed(engine, "https://board.example/feed.xml")
    urls = Urls(owner=database_url, app=database_url)
    settings = Settings()
    assert settings.crawl.children == 1
    async with _children(1) as children:
        worker = _Worker(engine, children, settings=settings, urls=urls)
        assert await worker._host_of(source) == "board.example"


def _feed(engine: Engine, url: str) -> int:
    with Session(engine) as session, session.begin():
        source = add_source(session, params={"url": url})
        defer_crawl(session, source.id, trigger="test")
        return source.id
