"""Posts that vanish from a list, are asked for again, and leave their evidence: over real HTTP."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.models import PostEngagement, PostEvidence, PostRow, RawAnswer
from crawlers.engine.memory import KEY
from tests.crawlers.conftest import Crawler
from tests.crawlers.listed import page_of
from tests.crawlers.site import Answer, Asked, Site, conditional, page, status
from tests.factories import add_source

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def item(name: str, **more: Any) -> dict[str, Any]:
    """A post that is as many hours old as its name says: a 1, b 2, c 3 …"""
    at = NOW - ("abcdefgh".index(name) + 1) * HOUR
    return {"id": name, "text": f"The parcel {name} never came.", "at": at.isoformat()} | more


def listed(crawler: Crawler, site: Site, *, kind: str = "listed", **params: Any) -> int:
    given = {"url": f"{site.url}/list"} | params
    with Session(crawler.engine) as session, session.begin():
        return add_source(session, kind=kind, params=given).id


def rows(crawler: Crawler, source: int) -> dict[str, PostRow]:
    with Session(crawler.engine) as session:
        found = session.scalars(select(PostRow).where(PostRow.source_id == source))
        return {row.external_id: row for row in found}


def due(row: PostRow) -> datetime:
    """When a post is visited next."""
    assert row.next_visit_at is not None
    return row.next_visit_at


def change(crawler: Crawler, source: int, name: str, **values: Any) -> None:
    """Let time pass for one post."""
    with Session(crawler.engine) as session, session.begin():
        mine = update(PostRow).where(PostRow.source_id == source, PostRow.external_id == name)
        session.execute(mine.values(**values))


def answering(told: Callable[[list[str]], str]) -> Answer:
    """A page that answers for the ids asked for."""

    def answer(asked: Asked) -> None:
        ids = asked.path.partition("?ids=")[2]
        asked.answer(body=told(ids.replace("%2C", ",").split(",")))

    return answer


def asks(site: Site) -> list[str]:
    return [path.replace("%2C", ",") for path in site.paths() if path.startswith("/ask")]


def test_a_post_missing_from_a_whole_run_is_marked_and_later_gone(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "abcd")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(*map(item, "abd")))
    assert crawler.crawl(source).outcome == "ok"
    missing = rows(crawler, source)["c"]
    assert missing.missing_since is not None
    assert missing.deleted_at is None
    change(crawler, source, "c", missing_since=NOW - 4 * HOUR)
    crawler.crawl(source)
    gone = rows(crawler, source)["c"]
    assert gone.deleted_at is not None
    assert (gone.gone_reason, gone.missing_since) == ("deleted", None)
    assert {name for name, row in rows(crawler, source).items() if row.deleted_at} == {"c"}


def test_a_walk_over_several_runs_counts_all_its_pages(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "abcdefgh")))
    crawler.crawl(source)
    # One post a page, and four pages a run.
    names = ["a", "b", "d", "e", "f", "h"]
    for number, name in enumerate(names):
        following = f"{site.url}/{number + 1}" if number + 1 < len(names) else None
        here = "/list" if number == 0 else f"/{number}"
        site.pages[here] = page(page_of(item(name), following=following))
    assert "4 pages" in (crawler.crawl(source).reason or "")
    assert {row.missing_since for row in rows(crawler, source).values()} == {None}
    assert crawler.crawl(source).outcome == "ok"
    found = rows(crawler, source)
    assert {name for name, row in found.items() if row.missing_since} == {"c", "g"}


def test_a_run_that_breaks_off_says_nothing_about_who_is_missing(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "abcd")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(item("a"), item("d"), following=f"{site.url}/next"))
    site.pages["/next"] = status("500 Oops")
    assert crawler.crawl(source).outcome == "error"
    assert {row.missing_since for row in rows(crawler, source).values()} == {None}


def test_a_list_is_read_again_although_unchanged_while_somebody_is_missing(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = conditional(page_of(*map(item, "abcd")), etag='"1"')
    crawler.crawl(source)
    assert crawler.row(source).cursor[KEY]["etag"] == '"1"'
    site.pages["/list"] = conditional(page_of(*map(item, "abd")), etag='"2"')
    crawler.crawl(source)
    assert "etag" not in crawler.row(source).cursor[KEY]
    change(crawler, source, "c", missing_since=NOW - 4 * HOUR)
    crawler.crawl(source)
    assert rows(crawler, source)["c"].deleted_at is not None
    assert crawler.row(source).cursor[KEY]["etag"] == '"2"'


def test_what_a_page_itself_says_is_gone_is_gone_at_once(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(item("a"), item("b", status="resolved")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(item("a"), gone=["b", "never-seen"]))
    crawler.crawl(source)
    assert rows(crawler, source)["b"].gone_reason == "removed_after_resolution"


def test_the_site_is_asked_for_the_missing_in_the_same_run(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "abcdefg")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(*map(item, "abdg")))
    # c is only not listed any more, e is gone, and of f the site says nothing.
    site.pages["/ask"] = answering(
        lambda ids: page_of(
            *[item(i, likes=9) for i in ids if i == "c"], gone=[i for i in ids if i == "e"]
        )
    )
    run = crawler.crawl(source)
    found = rows(crawler, source)
    assert (found["c"].missing_since, found["c"].deleted_at) == (None, None)
    assert found["c"].engagement == {"likes": 9}
    assert found["e"].deleted_at is not None
    assert found["f"].missing_since is not None
    assert found["f"].deleted_at is None
    assert due(found["f"]) > NOW + 5 * HOUR
    assert len(asks(site)) == 2
    assert (run.outcome, run.coverage["revisited"], run.pages) == ("ok", 3, 3)


def test_a_missing_post_is_not_gone_by_a_second_absence_where_the_site_can_be_asked(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "abcd")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(*map(item, "abd")))
    site.pages["/ask"] = status("503 Later")
    crawler.crawl(source)
    change(crawler, source, "c", missing_since=NOW - 30 * HOUR)
    assert crawler.crawl(source).outcome == "ok"
    assert rows(crawler, source)["c"].deleted_at is None
    site.pages["/ask"] = status("404 Not Found")
    change(crawler, source, "c", next_visit_at=NOW - HOUR)
    crawler.crawl(source)
    assert rows(crawler, source)["c"].deleted_at is not None


def test_without_a_way_to_ask_here_the_second_absence_decides(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site, kind="asked")
    site.pages["/list"] = page(page_of(*map(item, "abcd")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(*map(item, "abd")))
    crawler.crawl(source)
    assert rows(crawler, source)["c"].next_visit_at is None
    change(crawler, source, "c", missing_since=NOW - 4 * HOUR)
    crawler.crawl(source)
    assert rows(crawler, source)["c"].deleted_at is not None
    assert site.paths() == ["/list"] * 3


def test_young_posts_are_asked_for_again_and_their_counters_grow(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "ab")))
    crawler.crawl(source)
    first = rows(crawler, source)["a"]
    assert first.published_at is not None
    assert due(first) == first.published_at + 3 * HOUR
    site.pages["/list"] = page(page_of(item("b")))
    site.pages["/ask"] = answering(lambda ids: page_of(*[item(i, likes=5) for i in ids]))
    change(crawler, source, "a", next_visit_at=NOW - HOUR, seen_at=NOW - 2 * HOUR)
    crawler.crawl(source)
    assert asks(site) == ["/ask?ids=a"]
    visited = rows(crawler, source)["a"]
    assert (visited.visits, visited.engagement, visited.version) == (1, {"likes": 5}, 1)
    assert due(visited) == due(first)
    with Session(crawler.engine) as session:
        counts = session.scalars(
            select(PostEngagement.counts)
            .where(PostEngagement.post_id == visited.id)
            .order_by(PostEngagement.seen_at)
        ).all()
    assert counts == [{"likes": 0}, {"likes": 5}]
    crawler.crawl(source)
    assert len(asks(site)) == 1


def test_a_post_that_the_list_has_shown_since_needs_no_visit(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "ab")))
    crawler.crawl(source)
    change(crawler, source, "a", next_visit_at=NOW - HOUR)
    crawler.crawl(source)
    assert asks(site) == []
    assert due(rows(crawler, source)["a"]) > NOW


def test_visits_stay_within_the_pages_of_a_run(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "abcdefgh")))
    crawler.crawl(source)
    with Session(crawler.engine) as session, session.begin():
        mine = update(PostRow).where(PostRow.source_id == source)
        session.execute(mine.values(next_visit_at=NOW - HOUR, seen_at=NOW - 2 * HOUR))
    site.pages["/list"] = page(page_of(item("h")))
    site.pages["/ask"] = answering(lambda ids: page_of(*map(item, ids)))
    crawler.crawl(source)
    assert len(asks(site)) == 3  # of two ids each, after one page of four
    assert sum(row.visits for row in rows(crawler, source).values()) == 6


def test_a_visit_that_fails_spoils_no_run_and_is_put_off(crawler: Crawler, site: Site) -> None:
    source = listed(crawler, site, kind="asked", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "ab")))
    crawler.crawl(source)
    for broken in (page("this is no JSON"), status("403 No")):
        change(crawler, source, "a", next_visit_at=NOW - HOUR, seen_at=NOW - 2 * HOUR)
        change(crawler, source, "a", last_seen_at=None)
        site.pages["/list"] = page(page_of(item("b")))
        site.pages["/ask"] = broken
        assert crawler.crawl(source).outcome == "ok"
        row = rows(crawler, source)["a"]
        assert due(row) > NOW
        assert (row.visits, row.deleted_at) == (0, None)
    assert crawler.row(source).failures == 0
    (letter,) = crawler.dead_letters(source)
    assert "revisit" in letter.reason


def missing(crawler: Crawler, site: Site, *names: str) -> int:
    """A source of eight posts whose list lacks some; they are asked for one by one, in turn."""
    source = listed(crawler, site, kind="asked-alone", ask=f"{site.url}/ask")
    site.pages["/list"] = page(page_of(*map(item, "abcdefgh")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(*[item(one) for one in "abcdefgh" if one not in names]))
    return source


@pytest.mark.parametrize("refusal", ["401 Who", "403 No", "451 Court", "500 Oops", "503 Later"])
def test_a_post_that_is_always_refused_keeps_no_other_from_being_asked_for(
    refusal: str, crawler: Crawler, site: Site
) -> None:
    source = missing(crawler, site, "b", "c")
    site.pages["/ask"] = lambda asked: asked.answer(
        refusal if asked.path.endswith("=c") else "404 Not Found"
    )
    assert crawler.crawl(source).outcome == "ok"
    found = rows(crawler, source)
    assert [*dict.fromkeys(asks(site))] == ["/ask?ids=c", "/ask?ids=b"]  # a 500 is asked twice
    assert (found["c"].visits, found["c"].deleted_at) == (1, None)
    assert due(found["c"]) > NOW + 5 * HOUR
    assert found["b"].deleted_at is not None


def test_a_site_that_asks_to_wait_is_not_asked_for_the_next_post(
    crawler: Crawler, site: Site
) -> None:
    source = missing(crawler, site, "b", "c")
    site.pages["/ask"] = status("503 Later", Retry_After="1")
    crawler.crawl(source)
    assert asks(site) == ["/ask?ids=c"]
    assert rows(crawler, source)["c"].visits == 0


def test_three_refusals_in_a_row_end_the_visits(crawler: Crawler, site: Site) -> None:
    source = missing(crawler, site, "b", "c", "d")
    site.pages["/ask"] = status("403 No")
    crawler.crawl(source)
    found = rows(crawler, source)
    first, second, third = (found[path[-1]] for path in asks(site))
    assert (first.visits, second.visits, third.visits) == (1, 1, 0)
    assert due(third) < NOW + 2 * HOUR


def evidence(crawler: Crawler, source: int) -> dict[tuple[str, int], RawAnswer]:
    with Session(crawler.engine) as session:
        found = session.execute(
            select(PostRow.external_id, PostEvidence.version, RawAnswer)
            .join(PostEvidence, PostEvidence.post_id == PostRow.id)
            .join(RawAnswer, RawAnswer.id == PostEvidence.raw_answer_id)
            .where(PostRow.source_id == source)
        )
        return {(name, version): answer for name, version, answer in found}


def test_the_answer_in_which_a_post_was_read_is_kept_with_its_hash(
    crawler: Crawler, site: Site
) -> None:
    with Session(crawler.engine) as session, session.begin():
        session.execute(delete(RawAnswer))
    body = page_of(*map(item, "ab"))
    source = listed(crawler, site, url=f"{site.url}/list?page=1&token=hidden")
    site.pages["/list"] = page(body, Content_Type="application/json", Set_Cookie="id=1")
    crawler.crawl(source)
    kept = evidence(crawler, source)
    assert set(kept) == {("a", 1), ("b", 1)}
    answer = kept["a", 1]
    assert answer.id == kept["b", 1].id
    assert answer.sha256 == hashlib.sha256(body.encode()).digest()
    assert zlib.decompress(answer.body) == body.encode()
    assert (answer.size_bytes, answer.status) == (len(body), 200)
    assert answer.url == f"{site.url}/list?page=1"
    assert answer.headers == {"content-type": "application/json"}
    assert answer.expires_at == answer.fetched_at + timedelta(days=7)


def test_only_answers_with_news_are_kept_and_each_version_has_its_own(
    crawler: Crawler, site: Site
) -> None:
    source = listed(crawler, site)
    site.pages["/list"] = page(page_of(*map(item, "ab")))
    crawler.crawl(source)
    site.pages["/list"] = page(page_of(item("a", likes=7), item("b")))
    crawler.crawl(source)
    assert len(evidence(crawler, source)) == 2
    site.pages["/list"] = page(page_of(item("a", text="They are thieves."), item("b")))
    crawler.crawl(source)
    kept = evidence(crawler, source)
    assert set(kept) == {("a", 1), ("a", 2), ("b", 1)}
    assert b"thieves" in zlib.decompress(kept["a", 2].body)
    assert b"thieves" not in zlib.decompress(kept["a", 1].body)
