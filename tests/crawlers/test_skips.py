"""A page that a list links cannot be had: those behind it are read, over real HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session

from crawlers.catalogue import spiders
from tests.crawlers.conftest import Crawler
from tests.crawlers.saved_pages import config_of
from tests.crawlers.site import (
    Answer,
    Asked,
    Site,
    bad_gzip,
    never_answers,
    page,
    redirect,
    status,
    truncated,
)
from tests.factories import add_source

_SAID = "<p>The kettle of Kavira burned after three days, and nobody answered our letters.</p>" * 4


def _article(name: str) -> Answer:
    body = f"<article><h1>Test {name}</h1>{_SAID}</article>"
    return page(f"<html><head><title>{name}</title></head><body>{body}</body></html>")


def _publish(site: Site, names: Sequence[str], bad: Sequence[str] = (), how: str = "") -> None:
    """A list of articles in this order, the bad ones answered otherwise."""
    for name in names:
        site.pages[f"/a/{name}"] = _BAD[how] if name in bad else _article(name)
    links = "".join(f'<h2><a href="/a/{name}">{name}</a></h2>' for name in names)
    site.pages["/"] = page(f"<html><body>{links}</body></html>")


def _source(crawler: Crawler, site: Site) -> int:
    return crawler.source(f"{site.url}/", kind="article", params={"links": "h2 a"})


def _asked(site: Site, name: str) -> int:
    return site.paths().count(f"/a/{name}")


_BAD: dict[str, Answer] = {
    "times out": never_answers,
    "fails": status("500 Internal Server Error"),
    "is away": status("503 Service Unavailable"),
    "refuses": status("403 Forbidden"),
    "wants a password": status("401 Unauthorized"),
    "is no request": status("400 Bad Request"),
    "leads inside": redirect("http://10.0.0.1/secret"),
    "leads round": redirect("/a/b"),
    "breaks off": truncated,
    "is packed wrongly": bad_gzip,
    "is no page": page(b"\x89PNG\r\n\x1a\n" + bytes(200), Content_Type="image/png"),
}
_WORDS = {
    "times out": "no whole answer within 2 s",
    "fails": "HTTP 500",
    "is away": "HTTP 503",
    "refuses": "HTTP 403",
    "wants a password": "HTTP 401",
    "is no request": "HTTP 400",
    "leads inside": "10.0.0.1",
    "leads round": "redirected in a circle",
    "breaks off": "broke off",
    "is packed wrongly": "compressed",
    "is no page": "",
}


@pytest.mark.parametrize("how", _BAD)
def test_those_behind_one_that_cannot_be_had_are_read(
    how: str, crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    _publish(site, "abc", bad="b", how=how)
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new, run.dead_letters) == ("ok", 2, 1), run.reason
    assert run.reason == "2 posts, 2 new; 1 page could not be read"
    (letter,) = crawler.dead_letters(source)
    assert letter.url == f"{site.url}/a/b"
    assert _WORDS[how] in letter.reason
    assert crawler.row(source).failures == 0


def test_one_that_is_never_had_is_tried_in_three_runs(crawler: Crawler, site: Site) -> None:
    source = _source(crawler, site)
    _publish(site, "abc", bad="b", how="is no request")
    for _ in range(5):
        assert crawler.crawl(source).outcome == "ok"
    assert [_asked(site, name) for name in "abc"] == [1, 3, 1]


def test_one_that_was_away_for_a_moment_is_read_later(crawler: Crawler, site: Site) -> None:
    source = _source(crawler, site)
    _publish(site, "abc", bad="b", how="times out")
    crawler.crawl(source)
    _publish(site, "abc")
    assert crawler.crawl(source).posts_new == 1
    assert [_asked(site, name) for name in "abc"] == [1, 3, 1]  # the client asks twice


def test_those_that_robots_txt_forbids_are_not_asked_for_and_keep_none_from_being_read(
    crawler: Crawler, new_site: Site
) -> None:
    forbidden = "".join(f"Disallow: /a/{name}\n" for name in "bcd")
    new_site.pages["/robots.txt"] = page(f"User-agent: *\n{forbidden}")
    source = _source(crawler, new_site)
    _publish(new_site, "abcde")
    runs = [crawler.crawl(source) for _ in range(6)]
    assert {run.outcome for run in runs} == {"ok"}
    assert len(crawler.texts(source)) == 2
    assert not {"/a/b", "/a/c", "/a/d"} & {*new_site.paths()}
    letters = {letter.url: letter.reason for letter in crawler.dead_letters(source)}
    assert {*letters} == {f"{new_site.url}/a/{name}" for name in "bcd"}
    assert all("robots.txt forbids it" in reason for reason in letters.values())
    # Four pages a run: the second goes on where the first stood, and after three tries all is said.
    assert [run.pages for run in runs] == [4, 2, 4, 4, 1, 1]


def test_a_source_all_of_whose_articles_are_forbidden_is_blocked_in_words(
    crawler: Crawler, new_site: Site
) -> None:
    new_site.pages["/robots.txt"] = page("User-agent: *\nDisallow: /a/\n")
    source = _source(crawler, new_site)
    _publish(new_site, "abc")
    crawler.crawl(source)
    run = crawler.crawl(source)
    assert run.outcome == "blocked", run.reason
    words = "none of the last 3 pages of single posts could be read: robots.txt forbids it"
    assert (run.reason or "").startswith(words)


def test_three_in_a_row_end_the_run_and_the_next_goes_on_there(
    crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    _publish(site, "abcd", bad="abc", how="is no request")
    run = crawler.crawl(source)
    assert (run.outcome, (run.reason or "")[:8]) == ("error", "HTTP 400")
    assert [_asked(site, name) for name in "abcd"] == [1, 1, 1, 0]
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("ok", 1), run.reason
    assert [_asked(site, name) for name in "abcd"] == [1, 1, 2, 1]
    _publish(site, "abcd")
    assert crawler.crawl(source).posts_new == 3


@pytest.mark.parametrize(("how", "outcome"), [("is no request", "error"), ("refuses", "blocked")])
def test_a_host_in_trouble_is_not_asked_for_page_after_page(
    how: str, outcome: str, crawler: Crawler, site: Site
) -> None:
    source = _source(crawler, site)
    names = "abcdefgh"
    _publish(site, names, bad=names, how=how)
    assert crawler.crawl(source).outcome == outcome
    assert site.paths() == ["/", "/a/a", "/a/b", "/a/c"]


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (status("429 Too Many Requests"), "blocked"),
        (status("429 Too Many Requests", Retry_After="1"), "blocked"),
        (status("503 Service Unavailable", Retry_After="1"), "error"),
    ],
    ids=["429", "429 with a time", "503 with a time"],
)
def test_a_site_that_asks_to_be_left_alone_is_left_alone(
    how: Answer, outcome: str, crawler: Crawler, new_site: Site
) -> None:
    source = _source(crawler, new_site)
    _publish(new_site, "abc")
    new_site.pages["/a/b"] = how
    assert crawler.crawl(source).outcome == outcome
    assert _asked(new_site, "c") == 0


@pytest.mark.parametrize("how", ["times out", "fails", "leads inside", "is no request"])
def test_the_list_itself_is_never_done_without(how: str, crawler: Crawler, site: Site) -> None:
    source = _source(crawler, site)
    _publish(site, "a")
    site.pages["/"] = _BAD[how]
    for _ in range(2):
        assert crawler.crawl(source).outcome in ("error", "blocked")
    assert (crawler.dead_letters(source), crawler.row(source).cursor) == ([], {})


@pytest.mark.parametrize("kind", sorted(spiders()))
def test_no_kind_goes_on_without_its_first_page(kind: str) -> None:
    spider = spiders()[kind]
    config = spider.config(**config_of(kind))
    request = spider.start(config, cursor={})
    assert spider.skip(request, config, reason="HTTP 500", ahead={}) is None


def _report(number: int) -> Answer:
    body = f"<h1>Report</h1><div class='report-body'>Grill {number} caught fire.</div>"
    when = "<time datetime='2026-03-01T10:00:00Z'>March 1</time>"
    return page(f"<html><head><title>R</title></head><body>{when}{body}</body></html>")


def _reports(site: Site, *lists: Sequence[int]) -> None:
    """A search of so many lists; one without reports is away."""
    bodies = {}
    for at, numbers in enumerate(lists, start=1):
        links = "".join(f"<a href='/report/kavira/grill-{one}'>{one}</a>" for one in numbers)
        more = f"<a href='?pg={at + 1}'>next</a>" if at < len(lists) else ""
        bodies[str(at)] = f"<html><body>{links}{more}</body></html>" if numbers else ""
        for one in numbers:
            site.pages[f"/report/kavira/grill-{one}"] = _report(one)

    def answer(asked: Asked) -> None:
        body = bodies[asked.path.rpartition("pg=")[2]]
        asked.answer("200 OK" if body else "500 Internal Server Error", body)

    site.pages["/reports/specific_search/Kavira"] = answer


def _of_reports(crawler: Crawler, site: Site) -> int:
    with Session(crawler.engine) as session, session.begin():
        params = {"search": "Kavira", "base_url": site.url}
        return add_source(session, kind="ripoffreport", params=params).id


def _asked_for(site: Site, number: int) -> int:
    return site.paths().count(f"/report/kavira/grill-{number}")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (status("400 Bad Request"), "HTTP 400"),
        (status("403 Forbidden"), "HTTP 403"),
        (page("<html><title>Just a moment...</title></html>"), "Just a moment"),
        (page("<html><title>Nothing</title><body>No report.</body></html>"), "report"),
    ],
    ids=["fails", "refuses", "a challenge", "no report"],
)
def test_a_report_that_is_never_had_is_tried_in_three_runs(
    how: Answer, words: str, crawler: Crawler, site: Site
) -> None:
    _reports(site, [10013, 10012])
    site.pages["/report/kavira/grill-10013"] = how
    source = _of_reports(crawler, site)
    for _ in range(5):
        run = crawler.crawl(source)
        assert run.outcome == "ok", run.reason
    assert (_asked_for(site, 10013), _asked_for(site, 10012)) == (3, 5)
    assert crawler.texts(source) == ["Grill 10012 caught fire."]
    letters = crawler.dead_letters(source)
    assert letters
    assert all(words in letter.reason for letter in letters)


def test_a_report_that_was_away_is_read_though_its_list_is_not_read_again(
    crawler: Crawler, site: Site
) -> None:
    _reports(site, [10014, 10013, 10012, 10011])
    site.pages["/report/kavira/grill-10011"] = status("500 Internal Server Error")
    source = _of_reports(crawler, site)
    for _ in range(2):
        assert crawler.crawl(source).outcome == "ok"
    _reports(site, [10016])
    site.pages["/report/kavira/grill-10011"] = _report(10011)
    crawler.crawl(source)
    assert "Grill 10011 caught fire." in crawler.texts(source)


def test_a_further_list_of_reports_is_never_done_without(crawler: Crawler, site: Site) -> None:
    _reports(site, [10013], [])
    source = _of_reports(crawler, site)
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("error", 1)
    _reports(site, [10013], [10012])
    assert crawler.crawl(source).posts_new == 1
