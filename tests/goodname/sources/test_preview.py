"""A preview asks what the command line says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import GoodnameError
from core.settings import Settings
from crawlers.catalogue import spiders
from crawlers.errors import BlockedError
from goodname.sources.asked import check_is_asked
from goodname.sources.preview import Seen, Wanted, look
from tests.crawlers.saved_pages import FOLDER as PAGES
from tests.crawlers.site import Site, page, serving
from tests.crawlers.streaming import MINUTE, now_us, streaming

FEED = (PAGES / "feed/forum_pl.xml").read_bytes()
PROFILE = "https://www.bbb.org/us/tx/austin/profile/kettles/kavira-0825-1000123"


@pytest.fixture
def web() -> Iterator[Site]:
    with serving() as site:
        yield site


def _look(what: str, address: str, *params: str, **given: Any) -> Seen:
    crawl = {"allowed_addresses": [address], "delay_seconds": 0.0, "timeout_seconds": 3.0}
    settings = Settings.model_validate({"crawl": crawl})
    return look(Wanted(what=what, params=params, **given), settings)


def test_a_url_that_would_not_be_asked_is_refused_before_anything_is(web: Site) -> None:
    url = f"{web.url}/us/tx/austin/profile/kettles/kavira-0825-1000123"
    with pytest.raises(GoodnameError) as error:
        _look(url, web.address, f"profile={PROFILE}", kind="bbb")
    said = str(error.value)
    assert said.startswith(f"bbb would ask {PROFILE}/complaints")
    assert f"and not {url}: leave the URL out, or say whom to ask" in said
    assert f"--params base_url={web.url}" in said
    assert web.connections == 0


def test_what_a_refusal_advises_works(web: Site) -> None:
    params = (f"profile={PROFILE}", f"base_url={web.url}")
    _look("", web.address, *params, kind="bbb")
    (asked,) = web.paths()
    assert asked.startswith("/us/tx/austin/profile/kettles/kavira-0825-1000123/complaints")
    _look(f"{web.url}{asked}", web.address, *params, kind="bbb")
    assert web.paths() == [asked] * 2


def test_params_that_say_another_url_are_refused(web: Site) -> None:
    with pytest.raises(GoodnameError, match="leave the URL out, or url among the --params"):
        _look(f"{web.url}/a", web.address, f"url={web.url}/b", kind="feed")
    assert web.connections == 0


def test_the_url_is_asked_though_its_kind_is_named(web: Site) -> None:
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
    seen = _look(f"{web.url}/feed", web.address, kind="feed")
    assert seen.visit.page is not None
    assert (len(seen.visit.page.posts), web.paths()) == (2, ["/feed"])


def test_an_api_is_previewed_without_a_url(web: Site) -> None:
    web.pages["/api/v1/search_by_date"] = page(json.dumps({"hits": [], "nbHits": 0}))
    seen = _look("", web.address, "query=kavira", f"base_url={web.url}", kind="hackernews")
    assert seen.visit.error is None
    assert web.paths()[0].startswith("/api/v1/search_by_date?query=kavira")
    with pytest.raises(GoodnameError, match="name a URL, the file of a saved page, or a --kind"):
        _look("", web.address)


@pytest.mark.parametrize(
    ("kind", "url", "params", "is_asked"),
    [
        ("appstore", "https://apps.apple.com/pl/app/kavira/id1234567890",
         {"app_id": "1234567890", "country": "pl"}, True),
        ("appstore", "https://apps.apple.com/pl/app/kavira/id1234567890",
         {"app_id": "9999", "country": "pl"}, False),
        ("telegram", "https://t.me/kavira_news", {"channel": "kavira_news"}, True),
        ("trustpilot", "https://www.trustpilot.com/review/kavira.example?page=2",
         {"domain": "kavira.example"}, True),
        ("trustpilot", "https://www.trustpilot.com/review/kavira.example",
         {"domain": "other.example"}, False),
        ("trustpilot", "http://trustpilot.example/review/kavira.example",
         {"domain": "kavira.example"}, False),
        ("discourse", "https://forum.example", {"url": "https://forum.example"}, True),
        ("x", "https://x.com/search?q=kavira", {"query": "kavira"}, False),
        ("x", "https://api.x.com/2/tweets/search/recent", {"query": "kavira"}, True),
        ("reddit", "https://www.reddit.com/r/kavira", {"subreddit": "kavira"}, False),
        ("hackernews", "https://news.ycombinator.com/", {"query": "kavira"}, False),
        ("hackernews", "https://[broken/", {"query": "kavira"}, False),
    ],
)  # fmt: skip
def test_which_urls_are_those_of_a_source(
    kind: str, url: str, params: dict[str, str], is_asked: bool
) -> None:
    spider = spiders()[kind]
    start = spider.start(spider.config.model_validate(params), cursor={})
    if is_asked:
        check_is_asked(url, start, spider, params=params, known=spiders())
        return
    with pytest.raises(GoodnameError):
        check_is_asked(url, start, spider, params=params, known=spiders())


def test_a_preview_of_a_stream_begins_some_minutes_ago() -> None:
    with streaming() as stream:
        stream.say(now_us() - 5 * MINUTE, "3k1", "Kavira never answers")
        stream.say(now_us() - 4 * MINUTE, "3k2", "I like tea")
        address = f"127.0.0.1:{stream.port}"
        params = ("query=kavira", f"base_url={stream.url}")
        seen = _look("", address, *params, kind="bluesky-stream")
        assert seen.visit.page is not None
        assert [post.text for post in seen.visit.page.posts] == ["Kavira never answers"]
        assert seen.broken == ()
        quiet = _look("", address, "query=nobody", params[1], kind="bluesky-stream")
        assert quiet.visit.page is not None
        assert quiet.visit.page.posts == ()
        assert len(stream.asked) == 4


def test_a_stream_that_is_not_reached_is_said() -> None:
    with streaming() as stream, pytest.raises(BlockedError, match="allowed_addresses"):
        _look("", "127.0.0.1:9", "query=x", f"base_url={stream.url}", kind="bluesky-stream")
