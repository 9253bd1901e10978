"""Lists that lead to pages, cut off and gone on with, from loopback into Postgres."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import PostRow
from crawlers.engine.memory import KEY
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Answer, Asked, Site, page, status
from tests.factories import add_source

RUN = 4  #: pages that the child of these tests reads in one run


def _kept(crawler: Crawler, source: int) -> dict[str, str]:
    with Session(crawler.engine) as session:
        mine = select(PostRow.external_id, PostRow.text).where(PostRow.source_id == source)
        return {row.external_id: row.text for row in session.execute(mine)}


def _cursor(crawler: Crawler, source: int) -> dict[str, Any]:
    return {key: it for key, it in crawler.row(source).cursor.items() if key != KEY}


def _by_query(pages: dict[str, str]) -> Answer:
    """Answers by what stands behind the question mark."""

    def answer(asked: Asked) -> None:
        body = pages.get(asked.path.partition("?")[2])
        asked.answer("200 OK" if body else "404 Not Found", body or "none")

    return answer


def _report(number: int, says: str) -> str:
    return (
        '<html><body><div id="report-view"><h1>Complaint Review: Kavira</h1><ul><li>Submitted: '
        f'<time datetime="2026-02-{number:02}T14:05:11-07:00">February {number}, 2026</time></li>'
        f'</ul><div class="report-body"><p>{says}</p></div></div></body></html>'
    )


def _reports(site: Site, *lists: list[int]) -> None:
    """Lists of reports by their numbers, each of which leads to the next list."""
    pages = {}
    for place, numbers in enumerate(lists, start=1):
        links = [
            f'<h2><a href="/report/kavira/tulsa-grill-{100 + one}">K</a></h2>' for one in numbers
        ]
        following = f'<a href="?pg={place + 1}">next</a>' if place < len(lists) else ""
        pages[f"pg={place}"] = f"<html><body>{''.join(links)}{following}</body></html>"
        for one in numbers:
            path = f"/report/kavira/tulsa-grill-{100 + one}"
            site.pages.setdefault(path, page(_report(one, f"Grill {one} caught fire.")))
    site.pages["/reports/specific_search/Kavira"] = _by_query(pages)


def _of_reports(crawler: Crawler, site: Site) -> int:
    params = {"search": "Kavira", "base_url": site.url}
    with Session(crawler.engine) as session, session.begin():
        return add_source(session, kind="ripoffreport", params=params).id


def test_reports_of_a_list_are_read_over_several_runs_and_none_is_lost(
    crawler: Crawler, site: Site
) -> None:
    _reports(site, [19, 18, 17, 16, 15], [14, 13, 12])
    source = _of_reports(crawler, site)
    first = crawler.crawl(source)
    assert (first.outcome, first.pages, len(_kept(crawler, source))) == ("ok", RUN, 3)
    assert (_cursor(crawler, source), crawler.row(source).resume is None) == ({}, False)

    whole = site.pages["/report/kavira/tulsa-grill-116"]
    site.pages["/report/kavira/tulsa-grill-116"] = status(
        "503 Service Unavailable", Retry_After="1"
    )
    assert crawler.crawl(source).outcome == "error"
    site.pages["/report/kavira/tulsa-grill-116"] = whole
    assert [crawler.crawl(source).outcome for _ in range(2)] == ["ok", "ok"]

    assert _kept(crawler, source) == {
        str(100 + one): f"Grill {one} caught fire." for one in range(12, 20)
    }
    assert crawler.row(source).resume is None
    assert set(_cursor(crawler, source)["read"]) == set(_kept(crawler, source))
    asked = [path for path in site.paths() if not path.endswith("-116")]
    assert len(asked) == len(set(asked)) == 9


def test_a_read_list_of_reports_costs_its_top_and_what_is_new(crawler: Crawler, site: Site) -> None:
    _reports(site, [13, 12])
    source = _of_reports(crawler, site)
    crawler.crawl(source)
    site.asked.clear()
    _reports(site, [14, 13, 12])
    site.pages["/report/kavira/tulsa-grill-113"] = page(_report(13, "Two grills caught fire."))
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new, run.posts_changed) == ("ok", 1, 1)
    assert _kept(crawler, source)["113"] == "Two grills caught fire."
    assert len(site.paths()) == 4


def _article(number: int) -> str:
    return (
        f"<html lang=en><head><title>Mop {number}</title></head><body><main><article>"
        f"<h1>Mop {number}</h1><p>We tried five electric mops for a month. The Kavira M{number} "
        "leaves stripes on every floor, and after three months its battery holds half of what the "
        "maker promises.</p><p>Their service answered after twelve days and refused to change the "
        "battery, although the warranty covers it.</p></article></main></body></html>"
    )


def _list_of_articles(site: Site, *numbers: int) -> None:
    links = "".join(f'<h2><a href="/a/{one}">Mop {one}</a></h2>' for one in numbers)
    site.pages["/news"] = page(f"<html><body>{links}</body></html>")
    for one in numbers:
        site.pages.setdefault(f"/a/{one}", page(_article(one)))


def test_articles_of_a_list_are_read_once_over_several_runs(crawler: Crawler, site: Site) -> None:
    site.pages["/a/5"] = status("404 Not Found")
    _list_of_articles(site, 6, 5, 4, 3, 2)
    source = crawler.source(f"{site.url}/news", kind="article", params={"links": "h2 a"})
    first, second = crawler.crawl(source), crawler.crawl(source)
    assert [(run.outcome, run.pages) for run in (first, second)] == [("ok", RUN), ("ok", 2)]
    assert set(_kept(crawler, source)) == {f"{site.url}/a/{one}" for one in (6, 4, 3, 2)}
    assert (first.dead_letters, crawler.row(source).resume) == (1, None)

    site.asked.clear()
    _list_of_articles(site, 7, 6, 5, 4, 3, 2)
    third = crawler.crawl(source)
    assert (third.outcome, third.posts_new) == ("ok", 1)
    assert site.paths() == ["/news", "/a/7"]


def _topic(first: int, *, following: int | None) -> str:
    link = f'<li class="next"><a href="?t=7&amp;start={following}">next</a></li>'
    posts = "".join(
        f'<div id="p{one}" class="post"><div class="postbody"><p class="author"><strong>'
        f'<a class="username">Mirka</a></strong><time datetime="2026-02-{one:02}T07:02:00+00:00">'
        f'</time></p><div class="content">The kettle leaked {one} times.</div></div></div>'
        for one in range(first, first + 2)
    )
    return (
        '<html lang="en"><body class="section-viewtopic"><h2 class="topic-title">Kavira</h2>'
        f'<div class="pagination">{link if following else ""}</div>{posts}</body></html>'
    )


def test_a_topic_goes_on_at_its_last_page(crawler: Crawler, site: Site) -> None:
    pages = {"t=7": _topic(1, following=2), "t=7&start=2": _topic(3, following=None)}
    site.pages["/viewtopic.php"] = _by_query(pages)
    source = crawler.source(f"{site.url}/viewtopic.php?t=7", kind="phpbb")
    run = crawler.crawl(source)
    assert (run.outcome, run.pages, run.posts_new) == ("ok", 2, 4)

    site.asked.clear()
    pages |= {"t=7&start=2": _topic(3, following=4), "t=7&start=4": _topic(5, following=None)}
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("ok", 2)
    assert site.paths() == ["/viewtopic.php?t=7&start=2", "/viewtopic.php?t=7&start=4"]
    assert _kept(crawler, source)["6"] == "The kettle leaked 6 times."
