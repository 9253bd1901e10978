"""`goodname sources`: a page is tried, by hand and by what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import GoodnameError
from core.settings import CrawlSection, Settings
from crawlers.catalogue import spiders
from crawlers.contract import Request
from crawlers.errors import BlockedError, CrawlError
from goodname.sources.claims import CLAIMS, by_address
from goodname.sources.code_lines import python_lines
from goodname.sources.fetch import Hand
from goodname.sources.kinds import read_params
from goodname.sources.listing import described
from goodname.sources.preview import Wanted, document, look, preview
from goodname.sources.record import record_by
from tests.crawlers.saved_pages import FOLDER as PAGES
from tests.crawlers.site import Site, page, redirect, serving, status
from tests.goodname.sources.trying import CARDS, FEED, settings_for, site_file


def test_a_hand_obeys_robots_and_pauses_between_requests(web: Site) -> None:
    web.pages["/robots.txt"] = page("User-agent: *\nDisallow: /secret")
    web.pages["/open"] = page("hello")
    pauses: list[float] = []
    crawl = CrawlSection(allowed_addresses=[web.address], delay_seconds=0.5)
    with Hand(crawl, pause=pauses.append) as hand:
        assert hand.fetch(Request(url=f"{web.url}/open")).body == b"hello"
        with pytest.raises(BlockedError, match=r"robots\.txt forbids"):
            hand.fetch(Request(url=f"{web.url}/secret/x"))
    assert web.paths() == ["/open"]
    assert pauses == [0.5]


def test_a_hand_fetches_nothing_where_robots_is_broken(web: Site) -> None:
    web.pages["/robots.txt"] = status("503 Service Unavailable")
    web.pages["/open"] = page("hello")
    with Hand(settings_for(web).crawl) as hand, pytest.raises(BlockedError, match="HTTP 503"):
        hand.fetch(Request(url=f"{web.url}/open"))
    assert web.paths() == []


def test_a_hand_reaches_nothing_internal(web: Site) -> None:
    with serving() as inside:
        web.pages["/away"] = redirect(f"{inside.url}/x")
        with Hand(settings_for(web).crawl) as hand:
            with pytest.raises(BlockedError, match="loopback"):
                hand.fetch(Request(url=f"{web.url}/away"))
            with pytest.raises(BlockedError, match="not fetched"):
                hand.fetch(Request(url="http://169.254.169.254/latest/meta-data"))
        assert inside.connections == 0


@pytest.mark.parametrize(
    ("url", "opens"),
    [
        (
            "http://127.0.0.1:8099/a",
            '; a site of your own is opened by [crawl] allowed_addresses = ["127.0.0.1:8099"]',
        ),
        ("http://[::1]/a", 'allowed_addresses = ["[::1]:80"]'),
        ("https://kettles.internal/a", 'allowed_addresses = ["kettles.internal:443"]'),
        ("http://2130706433/", None),
        ("http://a b.example/", None),
        ("http://127.0.0.1:99999/", None),
    ],
)
def test_who_may_not_ask_an_address_is_told_what_opens_it(url: str, opens: str | None) -> None:
    with Hand(CrawlSection(robots_obey=False)) as hand, pytest.raises(CrawlError) as error:
        hand.fetch(Request(url=url))
    assert ("allowed_addresses" in str(error.value)) == (opens is not None)
    assert str(error.value).endswith(opens or "")


def test_a_credential_is_shown_to_the_first_host_only(web: Site) -> None:
    def sign(request: Request) -> Request:
        return Request(url=request.url, headers={"Authorization": "Bearer very-secret"})

    with serving() as other:
        other.pages["/x"] = page("there")
        web.pages["/away"] = redirect(f"{other.url}/x")
        crawl = CrawlSection(allowed_addresses=[web.address, other.address], delay_seconds=0)
        with Hand(crawl) as hand:
            hand.fetch(Request(url=f"{web.url}/away"), sign=sign)
        asked = {one.path: one for one in (*web.asked, *other.asked)}
        assert asked["/away"].headers["authorization"] == "Bearer very-secret"
        assert "authorization" not in asked["/x"].headers
        assert "authorization" not in asked["/robots.txt"].headers


def test_a_log_in_follows_no_redirect(web: Site) -> None:
    login = Request(url=f"{web.url}/token", method="POST", headers={"Authorization": "Basic x"})
    with serving() as other:
        web.pages["/token"] = redirect(f"{other.url}/token")
        crawl = CrawlSection(allowed_addresses=[web.address, other.address], delay_seconds=0)
        with Hand(crawl) as hand:
            assert hand.fetch(login, is_log_in=True).status == 302
        assert other.asked == []


def test_a_recording_holds_no_token_of_a_private_address(web: Site, tmp_path: Path) -> None:
    web.pages["/feed?token=s3cret-word"] = page(FEED)
    entry = {"slug": "mine", "kind": "feed", "params": {"url": f"{web.url}/feed?token=s3cret-word"}}
    settings = settings_for(web, sources=[entry])
    with Hand(settings.crawl) as hand:
        record_by(hand, settings, "mine", folder=tmp_path, most_pages=1)
    assert b"s3cret-word" not in b"".join(one.read_bytes() for one in (tmp_path / "mine").iterdir())


def test_a_feed_needs_only_its_url(web: Site) -> None:
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
    seen = look(Wanted(what=f"{web.url}/feed"), settings_for(web))
    assert (seen.spider.kind, seen.why, len(seen.visit.page.posts)) == ("feed", "it is a feed", 2)  # type: ignore[union-attr]
    assert web.paths() == ["/feed"], "fetched once"


def test_a_page_with_marked_up_reviews_needs_only_its_url(web: Site) -> None:
    review = {"@type": "Review", "reviewBody": "Curi.", "datePublished": "2026-02-01",
              "author": {"@type": "Person", "name": "Ana"},
              "reviewRating": {"@type": "Rating", "ratingValue": "1"}}  # fmt: skip
    thing = {"@context": "https://schema.org", "@type": "Product", "name": "K", "review": [review]}
    web.pages["/k"] = page(
        f'<html><script type="application/ld+json">{json.dumps(thing)}</script></html>'
    )
    seen = look(Wanted(what=f"{web.url}/k"), settings_for(web))
    assert seen.spider.kind == "schema-org"
    assert seen.visit.page is not None
    assert [post.text for post in seen.visit.page.posts] == ["Curi."]


def test_a_page_that_names_its_feed_is_read_by_it(web: Site) -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="/feed">'
    web.pages["/"] = page(f"<html><head>{link}</head><p>News</p></html>")
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
    seen = look(Wanted(what=f"{web.url}/"), settings_for(web))
    assert (seen.spider.kind, dict(seen.params)) == ("feed", {"url": f"{web.url}/feed"})


def test_a_page_of_nothing_known_is_said(web: Site) -> None:
    web.pages["/"] = page("<html><p>Hello</p></html>")
    with pytest.raises(GoodnameError, match="not recognised") as error:
        look(Wanted(what=f"{web.url}/"), settings_for(web))
    assert "feed: the page has no feed" in str(error.value)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.kind)
def test_a_known_address_is_of_its_kind(claim: Any) -> None:
    guess = by_address(claim.example, spiders())
    assert guess is not None
    assert guess.kind == claim.kind
    spiders()[claim.kind].config.model_validate(dict(guess.params))


def test_addresses_of_sites_without_code_are_known() -> None:
    guess = by_address("https://www.gowork.pl/opinie_czytaj,123,page,2", spiders())
    assert guess is not None
    assert (guess.kind, guess.params) == ("gowork", {"company": "123"})
    assert by_address("https://unknown.example/", spiders()) is None


def test_a_saved_page_is_tried_with_a_file_of_a_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "page.html"
    saved.write_text(f"<html>{CARDS}<a class=more></a></html>", "utf-8")
    wanted = Wanted(what=str(saved), site=site_file(tmp_path), url="https://k.example/reviews")
    assert preview(wanted) == 0
    said = capsys.readouterr().out
    assert "6 of 6" in said
    assert "next: https://k.example/reviews?page=2" in said
    assert "the contract holds" in said
    told = document(look(wanted, Settings()))
    assert told["contract"] == {"is_kept": True, "broken": []}
    assert told["filled"]["author"] == 6


TRUSTPILOT = PAGES / "trustpilot"
CANONICAL = '<link rel="canonical" href="{}">'
OPEN_GRAPH = '<meta property="og:url" content="{}">'


def _trustpilot_page(folder: Path, head: str) -> Path:
    """One that both its own kind and schema.org's marks explain."""
    saved = folder / "page.html"
    whole = (TRUSTPILOT / "first.html").read_text("utf-8")
    marks = {"@type": "Review", "reviewBody": "Curi.", "datePublished": "2026-02-01"}
    script = f'<script type="application/ld+json">{json.dumps(marks)}</script>'
    saved.write_text(whole.replace("<head>", f"<head>{head}{script}", 1), "utf-8")
    return saved


@pytest.mark.parametrize("says", [CANONICAL, OPEN_GRAPH])
def test_a_saved_page_is_of_the_kind_whose_address_it_gives(
    says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = says.format("https://www.trustpilot.com/review/kavira.example")
    wanted = Wanted(what=str(_trustpilot_page(tmp_path, head)))
    seen = look(wanted, Settings())
    assert (seen.spider.kind, dict(seen.params)) == ("trustpilot", {"domain": "kavira.example"})
    assert seen.visit.page is not None
    assert seen.visit.page.posts
    preview(wanted)
    said = " ".join(capsys.readouterr().out.split())
    assert "https://www.trustpilot.com/review/kavira.example as its address" in said
    assert "--kind NAME" in said


@pytest.mark.parametrize(
    "address", ["https://shop.example/k", "https://t.me/s/kavira_news", "//", "x" * 3000, ""]
)
def test_an_address_that_explains_no_page_leaves_it_to_its_marks(
    address: str, tmp_path: Path
) -> None:
    head = CANONICAL.format(address)
    seen = look(Wanted(what=str(_trustpilot_page(tmp_path, head))), Settings())
    assert seen.spider.kind == "schema-org"


def test_a_page_that_was_fetched_is_not_believed_where_it_is_from(
    web: Site, tmp_path: Path
) -> None:
    head = CANONICAL.format("https://www.trustpilot.com/review/kavira.example")
    web.pages["/k"] = page(_trustpilot_page(tmp_path, head).read_bytes())
    seen = look(Wanted(what=f"{web.url}/k"), settings_for(web))
    assert (seen.spider.kind, web.paths()) == ("schema-org", ["/k"])


def test_addresses_of_a_preview_can_be_copied_on_a_narrow_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    saved = tmp_path / "page.html"
    saved.write_text(f"<html>{CARDS}<a class=more></a></html>", "utf-8")
    address = f"https://k.example/{'firms-and-their-kettles/' * 6}reviews"
    wanted = Wanted(what=str(saved), site=site_file(tmp_path), url=address)
    assert preview(wanted) == 0
    lines = capsys.readouterr().out.splitlines()
    assert address in lines
    assert f"next: {address}?page=2" in lines


def test_a_broken_contract_is_shown_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "page.html"
    saved.write_text(CARDS.replace("<b>Ana</b>", ""), "utf-8")
    assert preview(Wanted(what=str(saved), site=site_file(tmp_path))) == 1
    said = capsys.readouterr().out
    assert "the contract is broken: author says something in 0 of 6 posts only" in said
    saved.write_text("<p>Renamed</p>", "utf-8")
    assert preview(Wanted(what=str(saved), site=site_file(tmp_path))) == 1
    assert "nothing was read: the page has no items (.r)" in capsys.readouterr().out
    assert preview(Wanted(what=str(saved), site=site_file(tmp_path), as_json=True)) == 1
    assert json.loads(capsys.readouterr().out)["outcome"] == "drift"


def test_what_is_neither_page_nor_kind_is_said(tmp_path: Path) -> None:
    with pytest.raises(GoodnameError, match="no URL, and no file either"):
        look(Wanted(what=str(tmp_path / "nothing.html"), kind="feed"), Settings())
    saved = tmp_path / "page.html"
    saved.write_text("x", "utf-8")
    with pytest.raises(GoodnameError, match="did you mean 'trustpilot'"):
        look(Wanted(what=str(saved), kind="trustpilt"), Settings())
    with pytest.raises(GoodnameError, match="params of trustpilot: domain: Field required"):
        look(Wanted(what=str(saved), kind="trustpilot"), Settings())
    with pytest.raises(GoodnameError, match="neither JSON nor key=value"):
        read_params(["domain"])
    assert read_params(['{"a": 1}', "b=x=y", "c=[1, 2]"]) == {"a": 1, "b": "x=y", "c": [1, 2]}


def test_every_kind_is_described() -> None:
    rows = [described(spider, opted_in=["ceneo"]) for spider in spiders().values()]
    by_kind = {row["kind"]: row for row in rows}
    assert set(by_kind) == set(spiders())
    assert by_kind["ceneo"]["is_off"] is False
    assert by_kind["gowork"]["is_off"] is True
    assert all(5 < row["lines_of_code"] < 400 for row in rows)
    assert json.dumps(rows)


def test_lines_of_code_are_counted_without_words() -> None:
    assert (
        python_lines('"""Doc."""\n\n# why\nx = """a\nb"""\n\ndef f():\n    "says"\n    return 1\n')
        == 4
    )


def test_an_error_of_the_site_is_no_traceback(web: Site) -> None:
    web.pages["/x"] = status("403 Forbidden")
    with pytest.raises((GoodnameError, CrawlError), match="403"):
        look(Wanted(what=f"{web.url}/x"), settings_for(web))
