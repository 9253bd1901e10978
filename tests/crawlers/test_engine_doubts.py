"""What looks like an end of posts and is none: over real HTTP."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.models import PostRow
from tests.crawlers.conftest import Crawler
from tests.crawlers.listed import page_of
from tests.crawlers.site import Site, conditional, page
from tests.crawlers.test_engine_presence import HOUR, NOW, change, due, item, listed, rows


def test_a_post_that_is_listed_and_cannot_be_read_is_not_missing(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "abcd")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(item("a"), item("b"), {"id": "c"}, item("d")))
    assert crawler.crawl(source).outcome == "ok"
    assert rows(crawler, source)["c"].missing_since is None
    change(crawler, source, "c", missing_since=NOW - 9 * HOUR)
    crawler.crawl(source)
    found = rows(crawler, source)["c"]
    assert (found.missing_since, found.deleted_at) == (None, None)


def test_a_list_that_is_empty_after_a_quiet_time_is_doubted(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site)
    for number, names in enumerate(["abcdef", "abcdefg"]):
        site.pages["/list"] = conditional(page_of(*map(item, names)), etag=f'"{number}"')
        assert crawler.crawl(source).outcome == "ok"
    assert crawler.crawl(source).reason == "nothing has changed"
    site.pages["/list"] = conditional(page_of(), etag='"2"')
    assert crawler.crawl(source).outcome == "drift"


def make_due(crawler: Crawler, source: int) -> None:
    with Session(crawler.engine) as session, session.begin():
        mine = update(PostRow).where(PostRow.source_id == source)
        told = {"seen_at": NOW - 2 * HOUR, "last_seen_at": None}
        session.execute(mine.values(next_visit_at=NOW - HOUR, **told))


def test_an_answer_that_knows_none_of_several_posts_deletes_none_at_once(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site, kind="asked-many", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "abcde")))
    crawler.crawl(source)
    change(crawler, source, "b", missing_since=NOW - 4 * HOUR)
    make_due(crawler, source)
    site.pages["/list"] = page(page_of(item("e", at=(NOW - 90 * HOUR).isoformat())))
    site.pages["/ask"] = page(page_of(gone=list("abcd")))
    crawler.crawl(source)
    found = rows(crawler, source)
    assert {name for name, row in found.items() if row.deleted_at} == {"b"}
    assert {name for name, row in found.items() if row.missing_since} == set("acd")
    assert due(found["a"]) > NOW + timedelta(hours=5)
    make_due(crawler, source)
    crawler.crawl(source)
    found = rows(crawler, source)
    assert {name for name, row in found.items() if row.deleted_at} == set("abcd")


def test_a_list_of_the_gone_that_holds_the_living_deletes_nobody(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "abcd"), following=f"{site.url}/gone"))
    site.pages["/gone"] = page(page_of(gone=["x"]))
    crawler.crawl(source)
    site.pages["/gone"] = page(page_of(gone=list("abcd")))
    run = crawler.crawl(source)
    assert (run.outcome, "repeat" in (run.reason or "")) == ("drift", True)
    assert not any(row.deleted_at for row in rows(crawler, source).values())


def test_pages_of_the_gone_that_repeat_each_other_end_the_run(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site)
    gone = ["x", "y", "z"]
    site.pages["/list"] = page(page_of(item("a"), following=f"{site.url}/1"))
    site.pages["/1"] = page(page_of(gone=gone, following=f"{site.url}/2"))
    site.pages["/2"] = page(page_of(gone=gone, following=f"{site.url}/3"))
    run = crawler.crawl(source)
    assert (run.outcome, run.pages) == ("drift", 3)


def test_one_page_that_cannot_be_read_keeps_no_other_from_being_read(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of({"id": "x"}, following=f"{site.url}/2"))
    site.pages["/2"] = page(page_of(item("a")))
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new, run.dead_letters) == ("ok", 1, 1)
