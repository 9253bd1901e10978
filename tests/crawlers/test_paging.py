"""Runs over several pages: every post is met, the cursor is right, and every run ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Cursor, Fetched
from crawlers.errors import DriftError
from crawlers.reach import is_reached, moved, newest_of
from tests.crawlers.saved_pages import FETCHED_AT, config_of, parse, saved_pages

Site = Callable[[dict[str, str]], bytes]


def crawl(kind: str, site: Site, *, cursor: Cursor | None = None) -> tuple[list[Post], Cursor, int]:
    """Follow a run to its end as the engine does; more than 100 pages are a run without end."""
    spider, cursor = spiders()[kind], cursor or {}
    config = spider.config(**config_of(kind))
    request, ahead = spider.start(config, cursor=cursor), cursor
    posts: list[Post] = []
    for number in range(1, 100):
        query = {key: value[-1] for key, value in parse_qs(urlsplit(request.url).query).items()}
        fetched = Fetched(
            url=request.url, status=200, headers={}, body=site(query), fetched_at=FETCHED_AT
        )
        page = spider.parse(fetched, config, cursor=cursor, ahead=ahead)
        posts, ahead = [*posts, *page.posts], page.ahead
        if page.next is None:
            return posts, ahead, number
        assert page.next.url != request.url
        request = page.next
    raise AssertionError("the run does not end")


class Search:
    """A search API with Algolia's habits: newest first, and never more than so many hits."""

    def __init__(self, times: Sequence[int], *, limit: int = 1000) -> None:
        self.times, self.limit = sorted(times, reverse=True), limit
        self.asked: list[dict[str, str]] = []

    def __call__(self, query: dict[str, str]) -> bytes:
        self.asked.append(query)
        number, size = int(query["page"]), int(query["hitsPerPage"])
        bounds = [b for b in query.get("numericFilters", "").split(",") if b]
        found = [
            (place, moment)
            for place, moment in enumerate(self.times)
            if all(_holds(moment, bound) for bound in bounds)
        ]
        given = found[: self.limit][number * size : (number + 1) * size]
        pages = -(-min(len(found), self.limit) // size)
        hits = [
            {"objectID": str(place), "title": f"hit {place}", "created_at_i": moment}
            for place, moment in given
        ]
        return _json(hits=hits, nbHits=len(found), nbPages=pages, hitsPerPage=size, page=number)


def _holds(moment: int, bound: str) -> bool:
    value = int(bound.removeprefix("created_at_i")[1:])
    return moment > value if ">" in bound else moment < value


def _json(**values: Any) -> bytes:
    return json.dumps(values).encode()


START = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())


def test_a_search_with_more_hits_than_it_gives_is_read_whole() -> None:
    search = Search([START + second // 3 for second in range(3210)])
    posts, ahead, _ = crawl("hackernews", search)
    assert {post.external_id for post in posts} == {str(number) for number in range(3210)}
    assert newest_of(ahead) == datetime.fromtimestamp(START + 1069, UTC)


def test_a_search_full_of_one_second_ends() -> None:
    _, _, pages = crawl("hackernews", Search([START] * 2500))
    assert pages < 25


def test_a_search_that_heeds_no_bounds_is_said_to_have_drifted() -> None:
    class Deaf(Search):
        def __call__(self, query: dict[str, str]) -> bytes:
            return super().__call__({**query, "numericFilters": ""})

    with pytest.raises(DriftError, match="bound"):
        crawl("hackernews", Deaf([START + n for n in range(1500)]))


def test_the_next_search_asks_from_the_cursor_less_the_overlap() -> None:
    _, cursor, _ = crawl("hackernews", Search([START, START + 50_000]))
    later = Search([START, START + 50_000, START + 60_000])
    posts, _, _ = crawl("hackernews", later, cursor=cursor)
    bound = int(later.asked[0]["numericFilters"].removeprefix("created_at_i>"))
    assert START + 50_000 - 6 * 3600 <= bound <= START + 50_000 - 3600
    assert {post.title for post in posts} == {"hit 0", "hit 1"}


def _reviews(days_old: Sequence[int], *, per: int = 3, current: int | None = None) -> Site:
    def site(query: dict[str, str]) -> bytes:
        page = current or int(query.get("page", 1))
        shown = days_old[(page - 1) * per : page * per]
        reviews = [
            {
                "id": f"r{days}",
                "text": "words",
                "dates": {"publishedDate": (FETCHED_AT - timedelta(days=days)).isoformat()},
            }
            for days in shown
        ]
        pager = {
            "currentPage": page,
            "perPage": per,
            "totalCount": len(days_old),
            "totalPages": -(-len(days_old) // per),
        }
        props = {"reviews": reviews, "filters": {"pagination": pager}}
        state = json.dumps({"props": {"pageProps": props}})
        return f'<script id="__NEXT_DATA__" type="application/json">{state}</script>'.encode()

    return site


def test_reviews_are_read_to_the_last_page_the_first_time() -> None:
    posts, ahead, pages = crawl("trustpilot", _reviews(range(20)))
    assert (len(posts), pages) == (20, 7)
    assert newest_of(ahead) == FETCHED_AT


def test_reviews_are_read_down_to_the_cursor_and_a_page_below_the_overlap() -> None:
    cursor = {"newest": (FETCHED_AT - timedelta(days=4, hours=23)).isoformat()}
    posts, ahead, pages = crawl("trustpilot", _reviews(range(20)), cursor=cursor)
    assert [post.external_id for post in posts][-1] == "r8"
    assert pages == 3
    assert newest_of(ahead) == FETCHED_AT


def test_a_page_of_reviews_that_nobody_can_read_hides_none_behind_it() -> None:
    site = _reviews(range(9))

    def broken(query: dict[str, str]) -> bytes:
        whole = site(query)
        return whole.replace(b'"words"', b'""') if query.get("page") == "2" else whole

    posts, _, pages = crawl("trustpilot", broken)
    assert ([post.external_id for post in posts], pages) == (
        ["r0", "r1", "r2", "r6", "r7", "r8"],
        3,
    )


def test_reviews_whose_pager_is_lost_are_kept_and_the_run_is_not_whole() -> None:
    body = _reviews(range(20))({}).replace(b"totalPages", b"pageTotal")
    page = parse("trustpilot", body)
    assert (len(page.posts), page.next, type(page.dead_end)) == (3, None, DriftError)
    known = parse("trustpilot", body, cursor={"newest": "2026-03-09T00:00:00+00:00"})
    assert (known.next, known.dead_end) == (None, None)


def test_a_site_that_shows_one_page_for_every_number_ends() -> None:
    _, _, pages = crawl("trustpilot", _reviews(range(20), current=1))
    assert pages == 2


def _cards(pages: int, *, stuck: bool = False) -> Site:
    def site(query: dict[str, str]) -> bytes:
        page = min(int(query.get("page", 1)), pages)
        following = page if stuck else page + 1
        link = f'<a rel="next" href="?page={following}">' if stuck or page < pages else ""
        body = f'<div class="rvw" data-id="{page}"><div class="rvw-bd"><p>words</p></div></div>'
        return f'<html><body><div class="prf-rw">{body}{link}</div></body></html>'.encode()

    return site


def test_cards_are_read_to_the_last_page_and_a_pager_that_turns_in_a_circle_ends() -> None:
    posts, _, pages = crawl("consumeraffairs", _cards(4))
    assert ([post.external_id for post in posts], pages) == (["1", "2", "3", "4"], 4)
    assert crawl("consumeraffairs", _cards(4, stuck=True))[2] == 1


def test_a_page_of_cards_that_nobody_can_read_hides_none_behind_it() -> None:
    site = _cards(3)

    def broken(query: dict[str, str]) -> bytes:
        whole = site(query)
        return whole.replace(b"<p>words</p>", b"") if query.get("page") == "2" else whole

    posts, _, pages = crawl("consumeraffairs", broken)
    assert ([post.external_id for post in posts], pages) == (["1", "3"], 3)


def test_a_date_in_the_future_does_not_lift_the_cursor_above_now() -> None:
    ahead = moved({}, [_dated(FETCHED_AT + timedelta(hours=20))], now=FETCHED_AT)
    assert newest_of(ahead) == FETCHED_AT


def test_a_cursor_never_falls_and_an_unreadable_one_is_as_none() -> None:
    cursor = {"newest": FETCHED_AT.isoformat(), "other": 1}
    old = _dated(FETCHED_AT - timedelta(days=9))
    assert moved(cursor, [old], now=FETCHED_AT) == cursor
    assert newest_of({"newest": "gibberish"}) is None
    assert not is_reached({"newest": "gibberish"}, [old], overlap=timedelta())
    assert is_reached(cursor, [old], overlap=timedelta(days=8))
    assert not is_reached(cursor, [old], overlap=timedelta(days=10))


def _dated(moment: datetime) -> Post:
    return Post(external_id="1", text="x", url="https://x.example", published_at=moment)


def test_an_edited_post_keeps_its_id_and_changes_its_content() -> None:
    pages = {page.path.name: page.expected for page in saved_pages("hackernews")}
    for first, edited in (("first.json", "edited.json"),):
        before, after = pages[first]["posts"][0], pages[edited]["posts"][0]
        assert before["external_id"] == after["external_id"]
        assert before["text"] != after["text"]


@pytest.mark.parametrize("kind", sorted(spiders()))
def test_parsing_is_pure(kind: str) -> None:
    for page in saved_pages(kind):
        given = page.expected.pop("given", {})
        assert page.read(given) == page.read(given)
