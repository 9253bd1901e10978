"""Recordings served from loopback: crawled twice they give the rows of once; an edit, a version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bench.recording import Recording, recordings
from core.models import PostRow, PostVersion
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.site import Answer, Asked, Site, serving
from tests.factories import add_source

# One of each kind; each makes several requests, and the rest differ in their texts only.
CHOSEN = (
    "json_feed.json",
    "RSSWithComments.xml",
    "google_alerts_atom.xml",
    "17_search_hitsperpage_1_tags_comment_query_apple.json",
    "26_search_by_date_hitsperpage_1_tags_ask_hn_page_2_query_apple.json",
    "bt.com_2023-05.html.gz",
    "calo.app_2026-02.html.gz",
    "sell-my-timeshare-now_2018-11_cards01-20.html.gz",
)
_PATH = {
    "feed": "/feed",
    "hackernews": "/api/v1/search_by_date",
    "trustpilot": "/review/recorded.example",
    "consumeraffairs": "/recorded.html",
}
_DEEPER = re.compile(r"[?&]page=([2-9]|1\d)|[?&]page=1$")

Rows = list[tuple[object, ...]]


@pytest.fixture
def recorded_crawler(engine: Engine, database_url: str) -> Iterator[tuple[Crawler, Site]]:
    with (
        serving() as site,
        child(engine, database_url, site, max_body_bytes=16_000_000) as crawler,
    ):
        yield crawler, site


def test_recordings_crawled_twice_give_the_same_rows_as_once(
    recorded_crawler: tuple[Crawler, Site], shared: Path
) -> None:
    crawler, site = recorded_crawler
    for one in _chosen(shared):
        site.pages[_PATH[one.kind]] = _first_page(one.body, kind=one.kind)
        source = _source(crawler, site, one)
        crawler.crawl(source)
        once = _rows(crawler, source)
        crawler.crawl(source)
        assert _rows(crawler, source) == once, one.path.name
        assert len(once) == one.counted() > 0, one.path.name
        assert {row[-1] for row in once} == {1}, one.path.name


def test_an_edit_of_a_recorded_post_gives_a_version_and_no_second_post(
    recorded_crawler: tuple[Crawler, Site], shared: Path
) -> None:
    crawler, site = recorded_crawler
    for one in _chosen(shared):
        site.pages[_PATH[one.kind]] = _first_page(one.body, kind=one.kind)
        source = _source(crawler, site, one)
        crawler.crawl(source)
        once = _rows(crawler, source)
        word = _word(one)
        site.pages[_PATH[one.kind]] = _first_page(one.body.replace(word, b"edited"), kind=one.kind)
        run = crawler.crawl(source)
        again = _rows(crawler, source)
        assert [row[0] for row in again] == [row[0] for row in once], one.path.name
        assert run.posts_new == 0, one.path.name
        assert run.posts_changed == sum(row[-1] == 2 for row in again) > 0, one.path.name
        assert _earlier(crawler, source) == run.posts_changed, one.path.name


def _chosen(shared: Path) -> list[Recording]:
    return [one for one in recordings(shared / "fixtures", kinds=_PATH) if one.path.name in CHOSEN]


def _word(one: Recording) -> bytes:
    """A word of the first post that stands in the page as it is, and in no address of it."""
    post = one.read().posts[0]
    for said in re.findall(r"[a-z]{6,}", f"{post.text} {post.title or ''}"):
        word = said.encode()
        if word in one.body and not re.search(rb"[-/_.\"]" + word + rb"|" + word + rb"[-/_.\":=]",
                                              one.body):  # fmt: skip
            return word
    raise AssertionError(f"no word to edit in {one.path.name}")


def _first_page(body: bytes, *, kind: str) -> Answer:
    """The recording as page one; deeper pages were not recorded."""

    def answer(asked: Asked) -> None:
        is_deeper = _DEEPER.search(asked.path) and (
            kind == "hackernews" or "page=1" not in asked.path
        )
        if is_deeper:
            asked.answer("404 Not Found", "not recorded")
        else:
            asked.answer(body=body)

    return answer


def _source(crawler: Crawler, site: Site, one: Recording) -> int:
    params: Mapping[str, Mapping[str, str]] = {
        "feed": {"url": f"{site.url}/feed"},
        "hackernews": {"query": "recorded", "base_url": site.url},
        "trustpilot": {"domain": "recorded.example", "base_url": site.url},
        "consumeraffairs": {"url": f"{site.url}/recorded.html"},
    }
    with Session(crawler.engine) as session, session.begin():
        return add_source(session, kind=one.kind, params=dict(params[one.kind])).id


def _rows(crawler: Crawler, source: int) -> Rows:
    columns = (
        PostRow.external_id,
        PostRow.title,
        PostRow.text,
        PostRow.author,
        PostRow.rating,
        PostRow.published_at,
        PostRow.seen_at,
        PostRow.version,
    )
    with Session(crawler.engine) as session:
        mine = select(*columns).where(PostRow.source_id == source).order_by(PostRow.external_id)
        return [tuple(row) for row in session.execute(mine)]


def _earlier(crawler: Crawler, source: int) -> int:
    with Session(crawler.engine) as session:
        kept = select(PostVersion.post_id).join(PostRow, PostRow.id == PostVersion.post_id)
        return len(session.scalars(kept.where(PostRow.source_id == source)).all())
