"""A source whose address leads nowhere from the start is told at once; one that worked waits."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.models import OperationsAlert, Source
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Site, page, posts, status


def _alerts(crawler: Crawler, source: int) -> list[OperationsAlert]:
    mine = select(OperationsAlert).where(OperationsAlert.source_id == source)
    with Session(crawler.engine) as session:
        return list(session.scalars(mine))


def test_nothing_under_an_address_that_never_worked_is_told_after_one_run(
    crawler: Crawler, site: Site
) -> None:
    for line in ("404 Not Found", "410 Gone"):
        site.pages["/typo"] = status(line)
        source = crawler.source(f"{site.url}/typo")
        crawler.crawl(source)
        (alert,) = _alerts(crawler, source)
        assert (alert.outcome, alert.runs) == ("error", 1)
        assert line[:3] in alert.reason


def test_a_host_that_nobody_knows_is_told_after_one_run(crawler: Crawler) -> None:
    source = crawler.source("http://no-such-host.invalid/")
    run = crawler.crawl(source)
    assert "cannot be resolved" in (run.reason or ""), run.reason
    assert [one.runs for one in _alerts(crawler, source)] == [1]


def test_an_error_of_the_site_itself_waits_for_three_runs(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = status("500 Internal Server Error")
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    assert _alerts(crawler, source) == []


def test_a_page_that_was_there_may_be_away_twice(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "Still waiting.")))
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    site.pages["/1"] = status("404 Not Found")
    crawler.crawl(source)
    assert _alerts(crawler, source) == []
    # Another address than the one that worked.
    with Session(crawler.engine) as session, session.begin():
        moved = update(Source).where(Source.id == source)
        session.execute(moved.values(params={"url": f"{site.url}/typo"}))
    crawler.crawl(source)
    assert [one.outcome for one in _alerts(crawler, source)] == ["error"]
