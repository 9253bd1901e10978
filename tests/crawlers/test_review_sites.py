"""Review sites: pages in turn, keys in their place, and what is said to be gone."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bench.recording import Recording, recordings
from crawlers.catalogue import spiders
from crawlers.contract import Fetched, KnownPost, Page, Request
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError, QuotaError
from tests.crawlers.saved_pages import FETCHED_AT, config_of, parse

SHOP_KEY = {
    "shop": "https://shop.kavira.example/sklep/",
    "consumer_key": "ck_secret",
    "consumer_secret": "cs_secret",
}
TOKENS = {"client_token": "client_secret", "user_token": "user_secret"}


def answer(request: Request, body: Any, **given: Any) -> Fetched:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    values: dict[str, Any] = {
        "url": request.url,
        "status": 200,
        "headers": {},
        "state": request.state,
    } | given
    return Fetched(body=raw, fetched_at=FETCHED_AT, **values)


def crawl(
    kind: str, site: Any, *, cursor: dict[str, Any] | None = None
) -> tuple[list[Page], list[str]]:
    """Follow a run to its end; a run without end fails."""
    spider, config = spiders()[kind], spiders()[kind].config(**config_of(kind))
    request: Request | None = spider.start(config, cursor=cursor or {})
    pages: list[Page] = []
    asked: list[str] = []
    while request is not None:
        assert len(asked) < 30
        asked.append(request.url)
        page = spider.parse(site(request), config, cursor=cursor or {}, ahead={})
        pages, request = [*pages, page], page.next
    return pages, asked


def _shop_review(number: int, **other: Any) -> dict[str, Any]:
    return {
        "id": number,
        "status": "approved",
        "review": f"<p>Review {number}</p>",
        "reviewer": "Ona",
        "date_created_gmt": "2026-01-01T00:00:00",
        "formatted_date_created": "1 January 2026",
        **other,
    }


def _shop(request: Request, *, total: int, has_headers: bool = True) -> Fetched:
    number = int(re.search(r"[?&]page=(\d+)", request.url)[1])  # type: ignore[index]
    shown = range(total - (number - 1) * 100, max(0, total - number * 100), -1)
    pages = -(-total // 100)
    headers = {"x-wp-total": str(total), "x-wp-totalpages": str(pages)} if has_headers else {}
    return answer(request, [_shop_review(one) for one in shown], headers=headers)


@pytest.mark.parametrize("kind", ["woocommerce", "woocommerce-v3"])
@pytest.mark.parametrize("has_headers", [True, False])
def test_all_pages_of_a_shop_are_read_once(kind: str, *, has_headers: bool) -> None:
    pages, asked = crawl(kind, lambda request: _shop(request, total=250, has_headers=has_headers))
    assert len({post.external_id for page in pages for post in page.posts}) == 250
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("said", "read"), [(5, 5.0), (1, 1.0), (0, None), (True, None), ("5", None)]
)
def test_stars_of_a_shop_are_numbers_from_one_to_five(said: object, read: float | None) -> None:
    body = [_shop_review(1, rating=said)]
    (post,) = parse("woocommerce", json.dumps(body).encode()).posts
    assert (post.rating, post.rating_scale) == (read, 5.0 if read else None)


def test_a_shop_can_be_asked_for_some_products_only() -> None:
    for kind, key in (("woocommerce", "product_id"), ("woocommerce-v3", "product")):
        spider = spiders()[kind]
        config = spider.config(**(config_of(kind) | {"products": [4, 9]}))
        assert f"{key}=4%2C9" in spider.start(config, cursor={}).url


def test_the_key_of_a_shop_stands_in_a_header_and_goes_over_https_only() -> None:
    spider = spiders()["woocommerce-v3"]
    config = spider.config(**config_of("woocommerce-v3"))
    request = spider.start(config, cursor={})
    signed = spider.sign(request, config, SHOP_KEY, token=None)
    word = signed.headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(word) == b"ck_secret:cs_secret"
    assert "secret" not in signed.url + str(request)
    plain = replace(request, url=request.url.replace("https:", "http:"))
    shop = SHOP_KEY | {"shop": "http://shop.kavira.example"}
    with pytest.raises(AuthError, match="https only"):
        spider.sign(plain, config, shop, token=None)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/sklep",
        "http://shop.kavira.example/sklep",
        "https://shop.kavira.example:8443/sklep",
        "https://shop.kavira.example.elsewhere.example",
    ],
)
def test_the_key_of_a_shop_is_shown_to_no_other(url: str) -> None:
    spider = spiders()["woocommerce-v3"]
    config = spider.config(url=url)
    with pytest.raises(AuthError, match="the key is for"):
        spider.sign(spider.start(config, cursor={}), config, SHOP_KEY, token=None)


def test_no_source_sends_the_tokens_of_sitejabber_elsewhere() -> None:
    with pytest.raises(ValidationError):
        spiders()["sitejabber"].config(domain="kavira.example", base_url="https://x.example")


def test_a_shop_says_which_reviews_are_gone() -> None:
    spider = spiders()["woocommerce-v3"]
    config = spider.config(**config_of("woocommerce-v3"))
    known = [KnownPost(external_id=str(number), url="https://x.example") for number in (1, 2, 3, 4)]
    request = spider.recheck(config, known)
    assert request is not None
    assert "include=1%2C2%2C3%2C4" in request.url
    assert "status=all" in request.url
    body = [
        _shop_review(1, review="<p>Edited.</p>"),
        _shop_review(2, status="trash"),
        _shop_review(3, review="", status="hold"),
    ]
    page = spider.parse_recheck(answer(request, body), config, known)
    assert [(post.external_id, post.text) for post in page.posts] == [("1", "Edited.")]
    assert page.gone == ("2", "4")
    assert [problem.external_id for problem in page.problems] == ["3"]
    for status in (401, 404, 500):
        with pytest.raises(CrawlError):
            spider.parse_recheck(answer(request, {}, status=status), config, known)


def test_the_ten_pages_of_the_app_store_are_read_and_no_more() -> None:
    def site(request: Request) -> Fetched:
        number = int(re.search(r"page=(\d+)", request.url)[1])  # type: ignore[index]
        href = f"https://elsewhere.example/page={number + 1}/x"
        links = [{"attributes": {"rel": "next", "href": href}}]
        entry = {
            "id": {"label": str(number)},
            "content": {"label": "x"},
            "im:rating": {"label": "1"},
        }
        return answer(request, {"feed": {"entry": [entry], "link": links}})

    pages, asked = crawl("appstore", site)
    assert [post.external_id for page in pages for post in page.posts] == list(
        map(str, range(1, 11))
    )
    assert all(url.startswith("https://itunes.apple.com/us/") for url in asked)


def test_removed_reviews_are_asked_for_after_the_others() -> None:
    def site(request: Request) -> Fetched:
        start = int(re.search(r"start=(\d+)", request.url)[1])  # type: ignore[index]
        total = 105 if "deleted=1" in request.url else 230
        numbers = range(start + 1, min(total, start + 100) + 1)
        return answer(request, [{"reviewNo": str(one), "content": "x"} for one in numbers])

    pages, asked = crawl("sitejabber", site)
    assert sum(len(page.posts) for page in pages) == 230
    assert sum(len(page.gone) for page in pages) == 105
    assert ["deleted=1" in url for url in asked] == [False] * 3 + [True] * 2


def test_the_tokens_of_sitejabber_are_in_no_request_that_is_kept() -> None:
    spider = spiders()["sitejabber"]
    config = spider.config(**config_of("sitejabber"))
    request = spider.start(config, cursor={})
    signed = spider.sign(request, config, TOKENS, token=None)
    assert "client_token=client_secret" in signed.url
    assert signed.headers["user_token"] == "user_secret"
    page = spider.parse(answer(signed, []), config, cursor={}, ahead={})
    assert "secret" not in f"{request}{page}"


@pytest.mark.parametrize(
    ("code", "error"),
    [(101, AuthError), (207, AuthError), (303, QuotaError), (429, QuotaError), (503, CrawlError)],
)
def test_errors_of_sitejabber_are_explained_whatever_their_status(
    code: int, error: type[CrawlError]
) -> None:
    spider = spiders()["sitejabber"]
    config = spider.config(**config_of("sitejabber"))
    body = {"status": "ERROR", "success": False, "errorCode": code, "errorReason": "Because"}
    said = spider.explain(answer(spider.start(config, cursor={}), body, status=400), config)
    assert type(said) is error
    assert f"{code}: Because" in str(said)
    other = answer(spider.start(config, cursor={}), b"<html>no</html>", status=500)
    assert spider.explain(other, config) is None


def test_the_documented_example_of_sitejabber_is_read(shared: Path) -> None:
    body = (shared / "fixtures/sitejabber/api_v1_review_doc_example.json").read_bytes()
    (post,) = parse("sitejabber", body).posts
    assert (post.external_id, post.rating, post.author_id) == ("1", 5.0, "user123")
    assert len(post.extra["ratings"]) == 5  # type: ignore[arg-type]


@pytest.fixture
def play(shared: Path) -> bytes:
    path = next((shared / "fixtures/googleplay").glob("*.gz"))
    return gzip.decompress(path.read_bytes())


def test_the_page_of_an_app_that_lost_its_reviews_has_drifted(play: bytes) -> None:
    assert len(parse("googleplay", play).posts) == 40
    for old, new in (
        (rb'"gp:AOq', rb'"rv:AOq'),
        (rb"AF_initDataCallback", rb"AF_dataCallback"),
        (rb"\[\[\[?\"gp:", rb'{"a":[["gp:'),
    ):
        changed = re.sub(old, new, play)
        assert changed != play
        with pytest.raises((DriftError, BlockedError)):
            parse("googleplay", changed)


def test_trustpilot_lists_the_newest_first_so_what_is_absent_is_missing(shared: Path) -> None:
    assert spiders()["trustpilot"].is_gapless
    for one in recordings(shared / "fixtures", kinds={"trustpilot"}):
        if b'"sort":"recency"' not in one.body:
            continue
        times = [post.published_at for post in one.read().posts if post.published_at]
        assert all(newer >= older for newer, older in pairwise(times)), one.path.name


@pytest.mark.parametrize(
    "kind", ["appstore", "googleplay", "schema-org", "trustpilot", "woocommerce-v3"]
)
def test_recordings_keep_the_promise_of_their_spider(shared: Path, kind: str) -> None:
    def share(one: Recording, name: str) -> float:
        posts = one.read().posts
        return sum(getattr(post, name) not in (None, "", {}) for post in posts) / len(posts)

    for one in recordings(shared / "fixtures", kinds={kind}):
        kept = {
            name: share(one, name) >= least
            for name, least in spiders()[kind].promise.filled.items()
        }
        assert all(kept.values()), (one.path.name, kept)
        assert spiders()[kind].promise.filled


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("appstore", {"app_id": "../1"}),
        ("appstore", {"app_id": "12345", "country": "USA"}),
        ("googleplay", {"app_id": "kavira"}),
        ("googleplay", {"app_id": "a.b&x=1"}),
        ("woocommerce", {"url": "shop.example"}),
        ("woocommerce", {"url": "https://shop.example", "products": ["x"]}),
        ("sitejabber", {"domain": "a/../b"}),
    ],
)
def test_a_wrong_config_is_refused(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spiders()[kind].config(**config)
