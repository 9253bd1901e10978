"""Each site speaks the format of its family."""

from __future__ import annotations

import calendar
import json
import re
from datetime import UTC, datetime

import dateparser
import feedparser
import httpx
import pytest
from parsel import Selector

from goodname.demo.bureau import profile
from goodname.demo.names import Names
from goodname.demo.posts import Pool, Site, Text
from goodname.demo.server import DemoServer

from .conftest import HandClock, Serve

LAST_SECOND = 600


@pytest.fixture
def grown(server: DemoServer, clock: HandClock) -> DemoServer:
    """A demo that has told everything."""
    clock.to(LAST_SECOND)
    return server


def test_the_board_is_read_card_by_card_over_its_pages(
    grown: DemoServer, client: httpx.Client
) -> None:
    path: str | None = "/board/home/vaskelda.html"
    ids, dates, bodies, authors, ratings, pages = [], [], [], [], [], 0
    while path:
        page = Selector(client.get(path).text)
        pages += 1
        for card in page.css(".rvw.js-rvw"):
            ids.append(card.attrib["data-id"])
            text = card.css(".rvw-bd > span::text").get("")
            dates.append(text.removeprefix("Original review: "))
            bodies.append("\n\n".join(card.css(".rvw-bd p::text").getall()))
            authors.append(card.css('[itemprop="author"]::text').get())
            ratings.append(card.css('[itemprop="ratingValue"]::attr(content)').get())
        path = page.css('a[rel="next"]::attr(href)').get()
    shown = grown.demo.place.world.shown(Site.BOARD)
    assert pages == -(-len(shown) // 8) >= 2
    assert ids == [post.id for post in shown]
    assert bodies == ["\n\n".join(post.paragraphs) for post in shown]
    assert authors == [f"{post.entry.author} of {post.entry.town}" for post in shown]
    assert ratings == [str(post.rating) for post in shown]
    parsed = [dateparser.parse(date, languages=["en"]) for date in dates]
    assert [p.date() if p else None for p in parsed] == [p.published_at.date() for p in shown]


def test_the_board_writes_its_dates_like_its_family(client: httpx.Client, clock: HandClock) -> None:
    clock.to(8)
    first = Selector(client.get("/board/home/vaskelda.html").text).css(".rvw-bd > span::text").get()
    assert first == "Original review: Sept. 28, 2026"


def test_the_board_shows_helpful_counts_and_replies(
    grown: DemoServer, client: httpx.Client
) -> None:
    number = next(p.id for p in grown.demo.place.world.shown(Site.BOARD) if p.entry.text.votes > 1)
    card = Selector(client.get(f"/board/review/{number}.html").text)
    assert re.search(r"\d+ people", card.css(".js-helpful-count strong::text").get(""))


def test_a_page_past_the_end_leads_to_the_last_one(grown: DemoServer, client: httpx.Client) -> None:
    answer = client.get("/board/home/vaskelda.html?page=99")
    assert answer.status_code == 302
    last = client.get(answer.headers["Location"])
    assert Selector(last.text).css(".rvw.js-rvw")
    assert not Selector(last.text).css('a[rel="next"]')


def test_the_review_site_embeds_its_state(grown: DemoServer, client: httpx.Client) -> None:
    shown = grown.demo.place.world.shown(Site.REVIEWS)
    found: list[dict[str, object]] = []
    number = 1
    while True:
        answer = client.get(
            "/review/vaskelda.example", params={"languages": "all", "page": str(number)}
        )
        page = Selector(answer.text)
        props = json.loads(page.css("script#__NEXT_DATA__::text").get(""))["props"]["pageProps"]
        found += props["reviews"]
        assert len(page.css("article")) == len(props["reviews"])
        pagination = props["filters"]["pagination"]
        assert pagination["currentPage"] == number
        assert pagination["totalCount"] == len(shown)
        if number == pagination["totalPages"]:
            break
        number += 1
    assert number == -(-len(shown) // 10) >= 2
    assert [review["id"] for review in found] == [post.id for post in shown]
    assert [review["text"] for review in found] == [post.text for post in shown]
    assert all(re.fullmatch(r"[0-9a-f]{24}", str(review["id"])) for review in found)
    assert {review["language"] for review in found} == {"en", "pl", "lt", "hr"}
    assert props["businessUnit"]["identifyingName"] == "vaskelda.example"


def test_reviews_can_be_asked_for_in_one_language(grown: DemoServer, client: httpx.Client) -> None:
    page = Selector(client.get("/review/vaskelda.example?languages=lt").text)
    props = json.loads(page.css("script#__NEXT_DATA__::text").get(""))["props"]["pageProps"]
    assert {review["language"] for review in props["reviews"]} == {"lt"}


def test_review_pages_past_the_end_are_missing(client: httpx.Client) -> None:
    assert client.get("/review/vaskelda.example?page=99").status_code == 404
    assert client.get("/review/other.example").status_code == 404


def test_the_forum_feed_is_clean_rss_with_links_that_work(
    grown: DemoServer, client: httpx.Client
) -> None:
    answer = client.get("/forum/feed.xml")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(answer.content, response_headers=dict(answer.headers))
    assert not feed.bozo
    assert feed.version == "rss20"
    shown = grown.demo.place.world.shown(Site.FORUM)[:30]
    assert [entry.title for entry in feed.entries] == [post.title for post in shown]
    for entry, post in zip(feed.entries, shown, strict=True):
        assert entry.id.endswith(f"thread-{post.id}")
        assert entry.author == f"{post.entry.author} ({post.entry.town})"
        published = calendar.timegm(entry.published_parsed)
        assert published == int(post.published_at.timestamp())
        body = Selector(entry.content[0].value).css("p::text").getall()
        assert body == post.paragraphs
        page = Selector(client.get(entry.link).text)
        assert page.css("article.post h1::text").get() == post.title


def test_the_social_search_finds_every_inflected_form(
    grown: DemoServer, client: httpx.Client
) -> None:
    answer = client.get(
        "/api/v1/search_by_date", params={"query": "Vaskeld", "hitsPerPage": "100"}
    ).json()
    shown = grown.demo.place.world.shown(Site.SOCIAL)
    assert [hit["objectID"] for hit in answer["hits"]] == [post.id for post in shown]
    assert answer["nbHits"] == len(shown)
    for hit, post in zip(answer["hits"], shown, strict=True):
        assert hit["created_at_i"] == int(post.published_at.timestamp())
        assert (hit["story_text"] is None) is (hit["comment_text"] is not None)
        assert "{" not in (hit["story_text"] or hit["comment_text"])
        if post.entry.story_id:
            assert hit["parent_id"] == hit["story_id"] == int(post.entry.story_id)
            assert hit["story_title"]
        else:
            assert hit["title"] == post.title


def test_the_social_search_pages_and_filters(grown: DemoServer, client: httpx.Client) -> None:
    def search(**params: str) -> dict[str, object]:
        return dict(client.get("/api/v1/search_by_date", params=params).json())

    def ids(answer: dict[str, object]) -> list[str]:
        hits = answer["hits"]
        assert isinstance(hits, list)
        return [hit["objectID"] for hit in hits]

    everything = ids(search(hitsPerPage="100"))
    pages = [ids(search(hitsPerPage="5", page=str(n))) for n in range(-(-len(everything) // 5))]
    assert [i for page in pages for i in page] == everything
    assert ids(search(hitsPerPage="5", page="50")) == []
    start = int(datetime(2026, 9, 28, 10, 0, tzinfo=UTC).timestamp())
    late = ids(search(numericFilters=f"created_at_i>{start}", hitsPerPage="100"))
    early = ids(search(numericFilters=f"created_at_i<={start}", hitsPerPage="100"))
    assert late + early == everything
    assert late
    assert early
    stories = ids(search(tags="story", hitsPerPage="100"))
    comments = ids(search(tags="comment", hitsPerPage="100"))
    assert sorted(stories + comments) == sorted(everything)
    assert ids(search(tags="(story,comment)", hitsPerPage="100")) == everything
    thread = search(tags="comment", hitsPerPage="1")["hits"][0]["story_id"]  # type: ignore[index]
    assert set(ids(search(tags=f"comment,story_{thread}", hitsPerPage="100"))) == set(comments)
    assert ids(search(query="Ember burned")) != []
    assert ids(search(query="Vaskeld burned")) == []  # only the last word may be a beginning
    assert ids(search(query="zzzz")) == []


@pytest.mark.parametrize(
    "params", [{"numericFilters": "created_at_i>>5"}, {"page": "-1"}, {"hitsPerPage": "x"}]
)
def test_a_search_that_cannot_be_read_is_a_400(
    client: httpx.Client, params: dict[str, str]
) -> None:
    answer = client.get("/api/v1/search_by_date", params=params)
    assert answer.status_code == 400
    assert answer.json()["message"]


HOSTILE = '</script><script>alert("x")</script> & <b>{brand}</b> ]]> \u2028'


@pytest.mark.parametrize("site", list(Site))
def test_hostile_texts_are_served_escaped(serve: Serve, site: Site) -> None:
    text = Text(key="x", text=HOSTILE, title=HOSTILE, site=site, author="<i>A</i>|<i>B</i>", at=0)
    server = serve(
        Pool(ordinary=(), script=(text,), authors={"en": {"f": ("A|B",)}}),
        names=Names.given("Q<u>", None),
    )
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        post = server.demo.place.world.shown(site)[0]
        paths = {
            Site.BOARD: ("/board/home/q-u.html", f"/board/review/{post.id}.html"),
            Site.REVIEWS: ("/review/q-u.example", f"/reviews/{post.id}"),
            Site.FORUM: ("/forum", f"/forum/t/{post.id}"),
            Site.SOCIAL: ("/social", f"/item?id={post.id}"),
            Site.BUREAU: (f"/bureau/{profile(server.demo.place.world.names.brand)}/complaints",),
        }
        for path in (*paths[site], "/", "/inbox"):
            html = client.get(path).text
            assert not Selector(html).css("script:not(#__NEXT_DATA__), b, i, u")
        if site is Site.REVIEWS:
            state = Selector(client.get(paths[site][0]).text).css("script::text").get("")
            assert json.loads(state)["props"]["pageProps"]["reviews"][0]["text"] == post.text
        if site is Site.FORUM:
            feed = feedparser.parse(client.get("/forum/feed.xml").content)
            assert not feed.bozo
        if site is Site.SOCIAL:
            hit = client.get("/api/v1/search_by_date").json()["hits"][0]
            assert "<b>" not in hit["story_text"]
