"""What Goodname is told about the demo is true."""

from __future__ import annotations

import httpx

from core.settings import Settings
from goodname.demo.names import Names
from goodname.demo.server import DemoServer
from goodname.demo.setup import demo_settings

from .conftest import HandClock, Serve


def test_every_source_answers_where_its_spider_will_ask(
    server: DemoServer, client: httpx.Client, clock: HandClock
) -> None:
    clock.to(95)
    params = {source.kind: source.params for source in demo_settings(server.url).sources}
    assert set(params) == {"consumeraffairs", "trustpilot", "feed", "hackernews", "bbb"}
    trustpilot, hackernews, bbb = params["trustpilot"], params["hackernews"], params["bbb"]
    addresses = {
        params["consumeraffairs"]["url"]: "Ember",
        f"{trustpilot['base_url']}/review/{trustpilot['domain']}?languages=all": "Ember",
        params["feed"]["url"]: "Ember",
        f"{hackernews['base_url']}/api/v1/search_by_date?query={hackernews['query']}": "Ember",
        f"{bbb['base_url']}/{bbb['profile']}/complaints": "induction hob",
    }
    for address, words in addresses.items():
        answer = client.get(address)
        assert answer.status_code == 200
        assert words in answer.text


def test_items_are_looked_up_where_the_social_site_has_them(
    server: DemoServer, client: httpx.Client, clock: HandClock
) -> None:
    clock.to(60)
    (params,) = (s.params for s in demo_settings(server.url).sources if s.kind == "hackernews")
    for hit in client.get("/api/v1/search_by_date?hitsPerPage=5").json()["hits"]:
        item = client.get(f"{params['items_url']}/v0/item/{hit['objectID']}.json").json()
        assert str(item["id"]) == hit["objectID"]


def test_the_webhook_leads_to_the_inbox(server: DemoServer, client: httpx.Client) -> None:
    webhooks = [r for r in demo_settings(server.url).receivers if r.address]
    assert [one.is_operations for one in webhooks] == [False, True]
    for number, webhook in enumerate(webhooks):
        assert client.post(webhook.address, json={"a": number}).status_code == 204
        assert client.get("/inbox.json").json()[number]["content"] == {"a": number}


def test_the_settings_are_valid_and_hold_together(server: DemoServer) -> None:
    demo = demo_settings(server.url)
    settings = Settings(
        brands=list(demo.brands),
        sources=list(demo.sources),
        rules=list(demo.rules),
        receivers=list(demo.receivers),
    )
    brand, rival = settings.brands
    assert {"Vaskeldy", "Vaskeldzie", "Vaskeldos", "Vaskeldoje", "Vaskeldom"} <= set(brand.aliases)
    assert rival.name == "Ostvena"
    (rule,) = settings.rules
    assert rule.brand == brand.slug
    told = {one.slug for one in settings.receivers if not one.is_operations}
    assert set(rule.receivers) == told
    assert demo.allowed_address == f"127.0.0.1:{server.port}"
    assert all(4 <= source.interval_seconds <= 5 for source in settings.sources)


def test_other_names_reach_the_settings(serve: Serve) -> None:
    names = Names.given("Ququ Box", "Blim")
    server = serve(names=names)
    told = demo_settings(server.url, names=names)
    assert [brand.name for brand in told.brands] == ["Ququ Box", "Blim"]
    assert told.brands[0].excluded[0] == "Lake Ququ Box"
    board = told.sources[0].params["url"]
    assert httpx.get(board, trust_env=False).status_code == 200
