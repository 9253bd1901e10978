"""One crawl after the other in one real child, over real HTTP, into real Postgres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.models import CrawlRun, PostRow, PostVersion, Source
from crawlers.engine.memory import KEY
from tests.crawlers import site as bad
from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Answer, Asked, Site, page, posts, redirect, status
from tests.factories import add_source


def test_a_crawl_keeps_every_page_and_then_moves_the_cursor(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("b", "The parcel never came."), following=f"{site.url}/2"))
    site.pages["/2"] = page(posts(("a", "Nobody answers.")))
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.pages, run.posts_seen, run.posts_new) == ("ok", 2, 2, 2)
    assert crawler.texts(source) == ["Nobody answers.", "The parcel never came."]
    row = crawler.row(source)
    assert {key: value for key, value in row.cursor.items() if key != KEY} == {"newest": "a"}
    assert row.resume is None
    assert (row.last_outcome, row.failures) == ("ok", 0)
    assert row.last_run_at == run.finished_at


def test_the_same_pages_twice_give_the_same_rows(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "Still waiting."), ("b", "Rude staff.")))
    source = crawler.source(f"{site.url}/1")
    first, again = crawler.crawl(source), crawler.crawl(source)
    assert (first.posts_new, again.posts_new, again.posts_changed) == (2, 0, 0)
    assert crawler.texts(source) == ["Still waiting.", "Rude staff."]


def test_an_edited_post_gives_a_version_and_no_second_post(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "They are slow.")))
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    site.pages["/1"] = page(posts(("a", "They are thieves.")))
    run = crawler.crawl(source)
    assert (run.posts_new, run.posts_changed) == (0, 1)
    assert crawler.texts(source) == ["They are thieves."]
    with Session(crawler.engine) as session:
        earlier = select(PostVersion.text).join(PostRow, PostRow.id == PostVersion.post_id)
        assert session.scalars(earlier.where(PostRow.source_id == source)).all() == [
            "They are slow."
        ]


def test_new_posts_wait_for_a_judge_from_the_moment_they_are_kept(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "Broken on arrival.")))
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    with Session(crawler.engine) as session:
        kept = session.scalars(select(PostRow.id).where(PostRow.source_id == source)).all()
        waiting = session.scalars(
            text("SELECT args->'post_ids' FROM queue.procrastinate_jobs WHERE queue_name='judge'")
        ).all()
    assert list(kept) in waiting


def test_items_that_are_no_posts_are_buried_and_the_others_kept(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page('{"posts": [{"id": "a"}, {"id": "b", "text": "Lost."}]}')
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_seen, run.dead_letters) == ("ok", 1, 1)
    (letter,) = crawler.dead_letters(source)
    assert (letter.stage, letter.reason, letter.crawl_run_id) == ("parse", "no text", run.id)


def test_a_post_with_a_nul_byte_is_kept(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page('{"posts": [{"id": "a", "text": "b\\u0000ad \\ud800"}]}')
    source = crawler.source(f"{site.url}/1")
    assert crawler.crawl(source).outcome == "ok"
    assert len(crawler.texts(source)) == 1


def test_the_cap_of_pages_leaves_the_rest_to_the_next_run(crawler: Crawler, site: Site) -> None:
    for number in range(1, 7):
        following = f"{site.url}/{number + 1}" if number < 6 else None
        site.pages[f"/{number}"] = page(posts((f"p{number}", "text"), following=following))
    source = crawler.source(f"{site.url}/1")
    first = crawler.crawl(source)
    assert (first.outcome, first.pages) == ("ok", 4)
    assert "4 pages" in (first.reason or "")
    assert crawler.row(source).cursor == {}
    second = crawler.crawl(source)
    assert (second.outcome, second.pages) == ("ok", 2)
    assert site.paths() == [f"/{number}" for number in range(1, 7)]
    row = crawler.row(source)
    assert row.resume is None
    assert row.cursor["newest"] == "p6"


def test_a_page_that_names_itself_as_the_next_ends_the_run(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/1"))
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.pages) == ("drift", 1)
    assert crawler.row(source).resume is None
    assert crawler.texts(source) == ["text"]


def test_a_next_page_that_fails_loses_nothing_and_is_tried_again(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    site.pages["/2"] = status("500 Oops")
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("error", 1)
    assert crawler.row(source).cursor == {}
    site.pages["/2"] = page(posts(("b", "second")))
    site.asked.clear()
    assert crawler.crawl(source).outcome == "ok"
    assert site.paths() == ["/2"]
    assert crawler.texts(source) == ["first", "second"]
    assert crawler.row(source).failures == 0


def test_a_next_page_that_is_gone_does_not_hold_the_source_for_ever(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    source = crawler.source(f"{site.url}/1")
    assert crawler.crawl(source).outcome == "error"
    assert crawler.row(source).resume is None


def test_a_next_page_that_always_fails_does_not_hide_what_is_new_at_the_top(
    crawler: Crawler, site: Site
) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    site.pages["/2"] = status("403 Forbidden")
    source = crawler.source(f"{site.url}/1")
    for _ in range(3):
        assert crawler.crawl(source).outcome == "blocked"
    assert crawler.row(source).resume is None
    site.pages["/1"] = page(posts(("b", "new"), ("a", "first"), following=f"{site.url}/2"))
    assert crawler.crawl(source).outcome == "blocked"
    assert crawler.texts(source) == ["first", "new"]
    assert crawler.row(source).cursor == {}


def test_a_run_that_resumes_on_unreadable_items_starts_over(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "first"), following=f"{site.url}/2"))
    site.pages["/2"] = status("500 Oops")
    source = crawler.source(f"{site.url}/1")
    assert crawler.crawl(source).outcome == "error"
    site.pages["/2"] = page('{"posts": [{"id": "x"}]}')
    assert crawler.crawl(source).outcome == "drift"
    assert crawler.row(source).resume is None
    assert crawler.crawl(source).outcome == "ok"
    assert crawler.row(source).cursor["newest"] == "x"


def test_a_site_whose_items_nobody_can_read_is_not_read_to_its_end(
    crawler: Crawler, site: Site
) -> None:
    items = ", ".join(f'{{"id": "{name}"}}' for name in "acd")
    broken = f'{{"posts": [{items}], "next": "{site.url}/2"}}'
    site.pages["/1"], site.pages["/2"] = page(broken), page(posts(("b", "text")))
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, run.reason) == ("drift", "none of 3 items could be read")
    assert site.paths() == ["/1"]
    assert crawler.row(source).resume is None


def test_changed_params_make_cursor_and_resume_void(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("z", "text")))
    site.pages["/other"] = page(posts(("a", "other")))
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    assert crawler.row(source).cursor["newest"] == "z"
    with Session(crawler.engine) as session, session.begin():
        session.execute(
            update(Source).where(Source.id == source).values(params={"url": f"{site.url}/other"})
        )
    crawler.crawl(source)
    assert crawler.row(source).cursor["newest"] == "a"


def test_an_unchanged_page_is_asked_for_conditionally(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = bad.conditional(posts(("a", "text")), etag='"v1"')
    source = crawler.source(f"{site.url}/1")
    assert crawler.crawl(source).posts_seen == 1
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_seen, run.reason) == ("ok", 0, "nothing has changed")
    assert site.asked[-1].headers["if-none-match"] == '"v1"'
    site.pages["/1"] = bad.conditional(posts(("b", "more")), etag='"v2"')
    assert crawler.crawl(source).posts_new == 1


def test_a_page_without_a_post_is_empty_and_says_so(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts())
    run = crawler.crawl(crawler.source(f"{site.url}/1"))
    assert (run.outcome, run.reason) == ("empty", "no post on the page")
    site.pages["/1"] = page(posts(announced=0))
    run = crawler.crawl(crawler.source(f"{site.url}/1"))
    assert run.outcome == "ok"
    assert (run.coverage["announced"], run.coverage["seen"]) == (0, 0)


BAD_ANSWERS: dict[str, tuple[Answer, str, str]] = {
    "not found": (bad.not_found, "error", "HTTP 404"),
    "refused": (status("403 Forbidden"), "blocked", "HTTP 403"),
    "credential": (status("401 Unauthorized"), "auth", "HTTP 401"),
    "server error": (status("500 Internal Server Error"), "error", "HTTP 500"),
    "bad gateway": (status("502 Bad Gateway"), "error", "HTTP 502"),
    "unavailable": (status("503 Service Unavailable"), "error", "HTTP 503"),
    "too many, no date": (status("429 Too Many Requests"), "blocked", "HTTP 429"),
    "garbage": (page(bytes(range(256)) * 20), "drift", "no JSON"),
    "wrong charset": (
        page('{"posts": "ąčę"}'.encode("utf-16"), Content_Type="text/html; charset=utf-8"),
        "drift",
        "spider broke",
    ),
    "another shape": (page('{"items": []}'), "drift", "KeyError"),
    "nothing in it": (page(b""), "drift", "no JSON"),
    "truncated": (bad.truncated, "error", "broke off"),
    "broken chunks": (bad.broken_chunks, "error", "broke off"),
    "closes": (bad.closes_at_once, "error", "closed the connection"),
    "no HTTP": (bad.speaks_another_protocol, "error", "no HTTP"),
    "silence": (bad.never_answers, "error", "no whole answer within 2 s"),
    "drips": (bad.drips, "error", "no whole answer within 2 s"),
    "endless": (bad.endless, "error", "larger than 1000000 bytes"),
    "announced too large": (page(b"x" * 1_000_001), "error", "larger than 1000000 bytes"),
    "bomb": (bad.bomb, "error", "when decompressed"),
    "bad compression": (bad.bad_gzip, "error", "compressed body"),
    "login wall": (page("<html>Please log in to go on</html>"), "blocked", "login wall"),
    "another scheme": (redirect("ftp://127.0.0.1/x"), "error", "HTTP 302"),
    "local file": (redirect("file:///etc/passwd"), "error", "HTTP 302"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_ends_the_run_with_its_reason(name: str, crawler: Crawler, site: Site) -> None:
    answer, outcome, reason = BAD_ANSWERS[name]
    site.pages["/1"] = answer
    source = crawler.source(f"{site.url}/1")
    run = crawler.crawl(source)
    assert (run.outcome, reason in (run.reason or "")) == (outcome, True), run.reason
    row = crawler.row(source)
    assert (row.last_outcome, row.last_reason) == (run.outcome, run.reason)
    assert row.failures == 1
    assert row.next_due_at is not None
    assert row.next_due_at >= run.started_at + timedelta(seconds=2 * row.interval_seconds)
    assert run.finished_at is not None


def test_a_hanging_site_does_not_keep_the_others_waiting(
    crawler: Crawler, site: Site, new_site: Site
) -> None:
    site.pages["/1"] = bad.never_answers
    hanging = crawler.source(f"{site.url}/1")
    # Another host: requests to one host wait for each other.
    new_site.pages["/1"] = page(posts(("a", "text")))
    healthy = crawler.source(f"http://localhost:{new_site.port}/1")
    crawler.send(hanging)
    crawler.send(healthy)
    crawler.heard()
    assert crawler.last_run(healthy).outcome == "ok"
    assert crawler.last_run(hanging).outcome == "running"
    crawler.heard()
    assert crawler.last_run(hanging).outcome == "error"


def test_a_redirect_is_followed_and_a_circle_is_not(crawler: Crawler, site: Site) -> None:
    site.pages["/old"] = redirect("/new")
    site.pages["/new"] = page(posts(("a", "text")))
    source = crawler.source(f"{site.url}/old")
    assert crawler.crawl(source).posts_new == 1
    site.pages["/new"] = redirect("/old")
    run = crawler.crawl(source)
    assert (run.outcome, "circle" in (run.reason or "")) == ("error", True)


def test_a_refused_connection_and_an_unknown_host_are_named(
    crawler: Crawler, new_site: Site
) -> None:
    run = crawler.crawl(crawler.source("http://no-such-host.invalid/"))
    assert (run.outcome, "cannot be resolved" in (run.reason or "")) == ("error", True), run.reason


def test_a_page_that_is_too_much_for_the_spider_is_buried(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page('{"items": []}')
    source = crawler.source(f"{site.url}/1")
    crawler.crawl(source)
    (letter,) = crawler.dead_letters(source)
    assert (letter.stage, letter.url) == ("parse", f"{site.url}/1")


def test_wrong_params_and_an_unknown_kind_end_the_run_in_words(
    crawler: Crawler, site: Site
) -> None:
    source = crawler.source(f"{site.url}/1", params={"colour": "red"})
    run = crawler.crawl(source)
    assert (run.outcome, "colour" in (run.reason or "")) == ("error", True)


def test_a_source_that_is_gone_is_no_error(crawler: Crawler) -> None:
    crawler.send(10**9)
    assert crawler.heard().outcome == "gone"


def test_a_run_that_a_death_left_open_is_closed_by_the_next(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "text")))
    source = crawler.source(f"{site.url}/1")
    with Session(crawler.engine) as session, session.begin():
        left = CrawlRun(source_id=source, outcome="running", started_at=datetime.now(UTC))
        session.add(left)
        session.flush()
        left_id = left.id
    assert crawler.crawl(source).outcome == "ok"
    with Session(crawler.engine) as session:
        closed = session.get_one(CrawlRun, left_id)
    assert (closed.outcome, closed.finished_at is not None) == ("error", True)


def test_the_crawler_says_who_it_is_and_sends_no_referrer(crawler: Crawler, site: Site) -> None:
    site.pages["/1"] = page(posts(("a", "x"), following=f"{site.url}/2"), Set_Cookie="id=1")
    site.pages["/2"] = page(posts(("b", "y")))
    crawler.crawl(crawler.source(f"{site.url}/1"))
    second: Asked = site.asked[-1]
    assert second.path == "/2"
    assert second.headers["user-agent"].startswith("Goodname/")
    assert not {"referer", "cookie"} & second.headers.keys()


def test_a_real_feed_is_crawled_twice_and_an_edit_gives_a_version(
    crawler: Crawler, site: Site
) -> None:
    def feed(text_: str) -> str:
        return (
            '<?xml version="1.0"?><rss version="2.0"><channel><title>Board</title>'
            f"<link>{site.url}</link><item><guid>1</guid><title>Parcel</title>"
            f"<link>{site.url}/1</link><description>{text_}</description>"
            "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item></channel></rss>"
        )

    site.pages["/feed"] = page(feed("It never came."), Content_Type="application/rss+xml")
    with Session(crawler.engine) as session, session.begin():
        params = {"url": f"{site.url}/feed"}
        source = add_source(session, kind="feed", params=params).id
    first, again = crawler.crawl(source), crawler.crawl(source)
    assert (first.outcome, first.posts_new, again.posts_new, again.posts_changed) == ("ok", 1, 0, 0)
    site.pages["/feed"] = page(feed("It came, broken."), Content_Type="application/rss+xml")
    assert crawler.crawl(source).posts_changed == 1
    assert len(crawler.texts(source)) == 1
