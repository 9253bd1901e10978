"""What a visitor sees while time goes by, always over HTTP."""

from __future__ import annotations

import itertools
import json

import httpx
from parsel import Selector

from goodname.demo.posts import Site
from goodname.demo.server import DemoServer

from .conftest import HandClock, Serve

BOARD = "/board/home/vaskelda.html"
REVIEWS = "/review/vaskelda.example?languages=all"
BUREAU = "/bureau/gb/ha/harrowmere/profile/appliances/vaskelda-1204-90017733/complaints"
FEED = "/forum/feed.xml"
SOCIAL = "/api/v1/search_by_date?query=Vaskeld&hitsPerPage=100"


def world(client: httpx.Client) -> dict[str, dict[str, str]]:
    posts = client.get("/world.json").json()["posts"]
    return {post["key"]: post for post in posts}


def test_the_fire_comes_and_is_copied_from_site_to_site(
    client: httpx.Client, clock: HandClock
) -> None:
    seen: dict[str, list[bool]] = {BOARD: [], FEED: [], REVIEWS: [], SOCIAL: []}
    for second in (0, 8, 20, 32, 44):
        clock.to(second)
        for path, steps in seen.items():
            steps.append("Ember" in client.get(path).text)
    assert seen == {
        BOARD: [False, True, True, True, True],
        FEED: [False, False, True, True, True],
        REVIEWS: [False, False, False, True, True],
        SOCIAL: [False, False, False, False, True],
    }


def test_a_story_that_waits_begins_when_a_site_is_first_looked_at(
    serve: Serve, clock: HandClock
) -> None:
    server = serve(waits=True)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        clock.to(500)
        for path in ("/", "/inbox", "/inbox.json", "/robots.txt", "/ledger.json", "/style.css"):
            assert client.get(path).status_code == 200
        clock.to(1000)
        assert "Ember" not in client.get(BOARD).text
        assert not client.get("/world.json").json()["is_finished"]
        clock.to(1008)
        assert "Ember" in client.get(BOARD).text


def test_an_edited_review_keeps_its_id_and_says_when(
    client: httpx.Client, clock: HandClock
) -> None:
    number = world(client)["fryer-review"]["external_id"]

    def review() -> dict[str, object]:
        state = Selector(client.get(REVIEWS).text).css("script#__NEXT_DATA__::text").get("")
        reviews = json.loads(state)["props"]["pageProps"]["reviews"]
        (one,) = [r for r in reviews if r["id"] == number]
        return dict(one)

    before = review()
    clock.to(68)
    after = review()
    assert before["rating"] == 3
    assert after["rating"] == 1
    assert "scalded" in str(after["title"])
    assert before["dates"] == {**before["dates"], "updatedDate": None}  # type: ignore[dict-item]
    assert after["dates"]["updatedDate"] == "2026-09-28T10:01:07.000Z"  # type: ignore[index]
    assert world(client)["fryer-review"]["state"] == "edited"


def test_a_deleted_complaint_leaves_list_and_page(client: httpx.Client, clock: HandClock) -> None:
    number = world(client)["courier-gone"]["external_id"]
    assert f'data-id="{number}"' in client.get(BOARD).text
    assert client.get(f"/board/review/{number}.html").status_code == 200
    clock.to(89)
    assert f'data-id="{number}"' not in client.get(BOARD).text
    assert client.get(f"/board/review/{number}.html").status_code == 410
    assert world(client)["courier-gone"]["state"] == "deleted"


def test_a_withdrawn_post_is_gone_from_the_search_and_the_items_say_so(
    client: httpx.Client, clock: HandClock
) -> None:
    clock.to(60)
    number = world(client)["washer-withdrawn"]["external_id"]
    assert client.get(f"/v0/item/{number}.json").json()["by"] == "lidka_gniezno"
    found = [hit["objectID"] for hit in client.get(SOCIAL).json()["hits"]]
    assert 0 < found.index(number) < len(found) - 1, "nothing around it: it could have aged out"
    clock.to(106)
    found = [hit["objectID"] for hit in client.get(SOCIAL).json()["hits"]]
    assert number not in found
    assert client.get(f"/v0/item/{number}.json").json() == {"deleted": True, "id": int(number)}
    assert client.get("/v0/item/1.json").json() is None


def test_a_review_becomes_a_better_one(client: httpx.Client, clock: HandClock) -> None:
    before = world(client)["fridge-mended"]
    clock.to(83)
    after = world(client)["fridge-mended"]
    assert (before["severity"], after["severity"]) == ("medium", "none")
    assert "ačiū" in after["title"]


def test_a_case_is_answered_then_resolved_then_taken_down(
    client: httpx.Client, clock: HandClock
) -> None:
    def case() -> str:
        page = Selector(client.get(BUREAU).text)
        cards = [one for one in page.css(".bpr-complaint-grid") if "312 euros" in one.get()]
        return " ".join(cards[0].css(" ::text").getall()) if cards else ""

    seen = []
    for second in (0, 71, 141, 201):
        clock.to(second)
        seen.append(case())
    assert "Unanswered" in seen[0]
    assert "Business Response" not in seen[0]
    assert "Answered" in seen[1]
    assert "Business Response" in seen[1]
    assert "Resolved" in seen[2]
    assert "Customer Answer" in seen[2]
    assert seen[3] == ""


def test_one_site_shuts_itself_for_a_while(client: httpx.Client, clock: HandClock) -> None:
    seen = []
    for second in (124, 126, 164, 166):
        clock.to(second)
        answer = client.get(REVIEWS)
        seen.append((answer.status_code, "__NEXT_DATA__" in answer.text))
        assert client.get(BOARD).status_code == 200
    assert seen == [(200, True), (200, False), (200, False), (200, True)]


def test_posts_keep_coming_until_all_are_told(client: httpx.Client, clock: HandClock) -> None:
    counts = []
    for second in range(0, 601, 30):
        clock.to(second)
        counts.append(len(client.get("/world.json").json()["posts"]))
    assert counts == sorted(counts)
    assert all(later > earlier for earlier, later in itertools.pairwise(counts[:10]))
    clock.to(600)
    end = client.get("/world.json").json()
    assert end["is_finished"]
    clock.to(6000)
    assert client.get("/world.json").json() == end


def test_a_public_reply_comes_later_than_its_post(
    server: DemoServer, client: httpx.Client, clock: HandClock
) -> None:
    entry = next(e for e in server.demo.place.world.entries if e.reply_at and e.at > 0)
    clock.to(entry.at + 1)
    post = server.demo.place.world.find(entry.site, entry.external_id)
    assert post is not None
    assert post.reply is None
    clock.to(entry.at + 21)
    post = server.demo.place.world.find(entry.site, entry.external_id)
    assert post is not None
    assert post.reply


def test_every_post_has_a_page_of_its_own(server: DemoServer, clock: HandClock) -> None:
    clock.to(600)
    pages = {
        Site.BOARD: "/board/review/{}.html",
        Site.REVIEWS: "/reviews/{}",
        Site.FORUM: "/forum/t/{}",
        Site.SOCIAL: "/item?id={}",
    }
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for site, pattern in pages.items():
            posts = server.demo.place.world.shown(site)
            assert len(posts) >= 8
            for post in posts:
                answer = client.get(pattern.format(post.id))
                assert answer.status_code == 200
                text = " ".join(Selector(answer.text).css("body ::text").getall())
                assert " ".join(post.paragraphs[0].split()) in " ".join(text.split())
