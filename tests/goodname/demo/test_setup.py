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
    clock.to(60)
    params = {source.kind: source.params for source in demo_settings(server.url).sources}
    assert set(params) == {"consumeraffairs", "trustpilot", "feed", "hackernews"}
    trustpilot, hackernews = params["trustpilot"], params["hackernews"]
    addresses = [
        params["consumeraffairs"]["url"],
        f"{trustpilot['base_url']}/review/{trustpilot['domain']}?languages=all",
        params["feed"]["url"],
        f"{hackernews['base_url']}/api/v1/search_by_date?query={hackernews['query']}",
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Ember" in answer.text


def test_the_webhook_leads_to_the_inbox(server: DemoServer, client: httpx.Client) -> None:
    (webhook,) = [r for r in demo_settings(server.url).receivers if r.address]
    assert client.post(webhook.address, json={"a": 1}).status_code == 204
    assert client.get("/inbox.json").json()[0]["content"] == {"a": 1}


def test_the_settings_are_valid_and_hold_together(server: DemoServer) -> None:
    told = demo_settings(server.url)
    settings = Settings(
        brands=list(told.brands),
        sources=list(told.sources),
        rules=list(told.rules),
        receivers=list(told.receivers),
    )
    brand, rival = settings.brands
    assert {"Vaskeldy", "Vaskeldzie", "Vaskeldos", "Vaskeldoje", "Vaskeldom"} <= set(brand.aliases)
    assert rival.name == "Ostvena"
    (rule,) = settings.rules
    assert rule.brand == brand.slug
    assert set(rule.receivers) == {receiver.slug for receiver in settings.receivers}
    assert told.allowed_address == f"127.0.0.1:{server.port}"
    assert all(4 <= source.interval_seconds <= 5 for source in settings.sources)


def test_other_names_reach_the_settings(serve: Serve) -> None:
    names = Names.given("Ququ Box", "Blim")
    server = serve(names=names)
    told = demo_settings(server.url, names=names)
    assert [brand.name for brand in told.brands] == ["Ququ Box", "Blim"]
    assert told.brands[0].excluded[0] == "Lake Ququ Box"
    board = told.sources[0].params["url"]
    assert httpx.get(board, trust_env=False).status_code == 200
