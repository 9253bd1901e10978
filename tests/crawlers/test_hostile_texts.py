"""Hostile words inside each spider's own pages: every item is a post or a problem, none is lost."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import CrawlRun, DeadLetter, PostRow
from crawlers.catalogue import spiders
from crawlers.contract import Page
from crawlers.errors import CrawlError
from crawlers.reading.markup import text_of
from pipeline.ingest import keep
from tests.crawlers.kinds import one_of_each_family
from tests.crawlers.saved_pages import SavedPage, config_of, parse, saved_pages
from tests.crawlers.test_hostile_bodies import survive
from tests.factories import add_source

KINDS = one_of_each_family()
_URL = re.compile(rb"https?:(?:\\?/){2}[^\s\"'<>\\?#/]+")
METADATA = b"http://169.254.169.254"


def texts_of(shared: Path) -> list[str]:
    """Strings that broke somebody's program, in all their classes."""
    folder = shared / "fixtures/hostile"
    naughty = json.loads((folder / "strings/blns_a.json").read_text("utf-8"))
    lines = (folder / "unicode/texts.jsonl").read_text("utf-8").splitlines()
    return [*naughty, *(str(json.loads(line)["text"]) for line in lines)]


def _urls(shared: Path) -> list[str]:
    found = [
        one["input"]
        for name in ("urltestdata", "ada_extra_urltestdata", "toascii")
        for one in json.loads((shared / f"fixtures/hostile/url/{name}.json").read_text("utf-8"))
        if isinstance(one, dict) and isinstance(one.get("input"), str)
    ]
    return [url for url in found if url]


def _page_of(kind: str) -> SavedPage | None:
    """The page with the most posts whose texts stand in it as they are read."""

    def said(page: SavedPage) -> int:
        return len(_places(page.path.read_bytes(), page))

    pages = [page for page in saved_pages(kind) if page.expected.get("posts")]
    best = max(pages, key=said, default=None)
    return best if best is not None and said(best) else None


def _places(body: bytes, page: SavedPage) -> list[bytes]:
    """The texts of a page's posts, as far as they stand there exactly once and whole."""
    texts = [str(post.get("text", "")).encode() for post in page.expected["posts"]]
    return [text for text in texts if len(text) > 8 and body.count(text) == 1]


def _written(text: str, place: bytes, body: bytes, page: SavedPage) -> bytes:
    """A text as its document must escape it: JSON in a file or a script, else markup."""
    is_json = page.path.suffix == ".json"
    script = body.rfind(b"<script", 0, body.index(place))
    is_script = script >= 0 and b"</script" not in body[script : body.index(place)]
    if is_json or is_script:
        return json.dumps(text)[1:-1].replace("<", "\\u003c").encode()
    return html.escape(text).encode("utf-8", "replace")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_text_is_a_post_or_a_problem_and_spares_its_neighbours(
    shared: Path, kind: str
) -> None:
    page = _page_of(kind)
    if page is None:
        pytest.skip("its texts are put together from several places")
    body, expected = page.path.read_bytes(), page.expected
    given, count = expected.get("given", {}), len(expected["posts"]) + len(expected["problems"])
    places, texts = _places(body, page), texts_of(shared)
    for start in range(0, len(texts), len(places)):
        hostile = body
        batch = texts[start : start + len(places)]
        for place, text in zip(places, batch, strict=False):
            hostile = hostile.replace(place, _written(text, place, body, page))
        result = survive(kind, hostile, **given)
        assert isinstance(result, Page), (result, batch)
        # Some sites let stars alone be a review; they are no post, and nothing is wrong with them.
        wordless = sum(not text_of(text) for text in batch)
        found = len(result.posts) + len(result.problems)
        assert count - wordless <= found <= count, batch


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_addresses_in_a_page_break_nothing_and_lead_nowhere(
    shared: Path, kind: str
) -> None:
    urls = _urls(shared)[::9]
    page = max(saved_pages(kind), key=lambda one: len(one.expected.get("posts", ())))
    body, given = page.path.read_bytes(), page.expected.get("given", {})
    for url in urls:
        written = json.dumps(url)[1:-1].replace("<", "\\u003c").encode()
        result = survive(kind, _URL.sub(lambda _, to=written: to, body), **given)
        if isinstance(result, Page):
            assert all(re.match(r"https?://", post.url) for post in result.posts), url
            assert result.next is None or _is_at_home(result.next.url, page), url


def _is_at_home(url: str, page: SavedPage) -> bool:
    """Whether a next request goes to a host that the source's own config leads to."""
    spider = spiders()[page.kind]
    params: Mapping[str, Any] = config_of(page.kind) | page.expected.get("given", {}).get(
        "config", {}
    )
    start = spider.start(spider.config(**params), cursor={}).url
    asked = page.expected.get("given", {}).get("url", start)
    return urlsplit(url).hostname in {urlsplit(start).hostname, urlsplit(asked).hostname}


@pytest.mark.parametrize("page", saved_pages(), ids=lambda page: f"{page.kind}/{page.path.name}")
def test_a_page_that_names_an_internal_host_everywhere_is_not_followed_there(
    page: SavedPage,
) -> None:
    body = _URL.sub(METADATA, page.path.read_bytes())
    given = page.expected.get("given", {})
    try:
        read = parse(page.kind, body, **given)
    except CrawlError:
        return
    if read.next is not None:
        assert "169.254" not in read.next.url
        assert _is_at_home(read.next.url, page), read.next.url


def test_every_hostile_text_is_stored_or_buried(
    shared: Path, session: Session, now: datetime
) -> None:
    texts = texts_of(shared)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Hostile",
        "items": list(_items(texts)),
    }
    page = parse("feed", json.dumps(feed).encode(), content_type="application/feed+json")
    assert len(page.posts) + len(page.problems) == len(texts)
    source = add_source(session)
    run = CrawlRun(source_id=source.id, outcome="running", started_at=now)
    session.add(run)
    session.flush()
    kept = keep(session, page.posts, source_id=source.id, crawl_run_id=run.id, now=now)
    stored = session.scalar(
        select(func.count()).select_from(PostRow).where(PostRow.source_id == source.id)
    )
    buried = session.scalar(
        select(func.count()).select_from(DeadLetter).where(DeadLetter.source_id == source.id)
    )
    assert (stored, buried) == (kept.new, kept.dead)
    assert kept.new + kept.dead == len(page.posts)


def _items(texts: list[str]) -> Iterator[dict[str, str]]:
    for number, text in enumerate(texts):
        yield {
            "id": f"{number}",
            "url": f"https://board.example/{number}",
            "title": f"Item {number}",
            "content_text": text,
        }
