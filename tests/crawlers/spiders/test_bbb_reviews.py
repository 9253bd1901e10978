"""What a scraper kept of one list of reviews (2023) proves: requests, order and days; no fields."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from crawlers.catalogue import spiders
from crawlers.families.bbb_profile import BbbConfig
from tests.crawlers.saved_pages import parse

PROFILE = "us/ca/san-francisco/profile/internet-travel/recorded-{bureau}-{firm}"


def kept(shared: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared / "fixtures/bbb" / name).read_text("utf-8"))
    return found


def test_requests_are_those_that_the_site_answered(shared: Path) -> None:
    rows = kept(shared, "customer_reviews_881071_2023-11.normalised.part1.json")
    first = urlsplit(rows[0]["Source_url"])
    asked = parse_qs(first.query)
    spider = spiders()["bbb-reviews"]
    profile = PROFILE.format(bureau=asked["bbbId"][0], firm=asked["businessId"][0])
    config = spider.config.model_validate({"profile": profile})
    ours = urlsplit(spider.start(config, cursor={}).url)
    assert ours[:3] == first[:3]
    assert parse_qs(ours.query) == asked


def test_the_newest_stands_first_in_pages_of_fifteen(shared: Path) -> None:
    rows = kept(shared, "customer_reviews_881071_2023-11.normalised.part1.json")
    days = [datetime.strptime(row["Date"], "%d-%m-%Y").date() for row in rows]  # noqa: DTZ007
    assert days == sorted(days, reverse=True)
    pages = [int(parse_qs(urlsplit(row["Source_url"]).query)["page"][0]) for row in rows]
    assert pages == sorted(pages)
    assert {pages.count(page) for page in set(pages) - {max(pages)}} == {15}
    assert {row["Stars"] for row in rows} <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("count", [14, 15])
def test_without_a_number_of_pages_a_full_page_has_one_behind_it(count: int) -> None:
    review = {"text": "words", "date": {"day": 1, "month": 3, "year": 2026}}
    items = [{**review, "id": number} for number in range(count)]
    page = parse("bbb-reviews", json.dumps({"items": items, "totalPages": None}).encode())
    assert (page.next is not None) is (count == 15)


def test_addresses_of_real_profiles_are_understood(shared: Path) -> None:
    rows = kept(shared, "search_results_2025-07.normalised.json")
    assert rows
    for row in rows:
        for address in (row["url"], f"{row['url']}/complaints"):
            config = BbbConfig(profile=address)
            assert config.firm_id == row["businessId"]
            assert config.address() == row["url"].partition("/addressId/")[0]


@pytest.mark.parametrize(
    "profile",
    ["", "kavira", "https://www.bbb.org/search?find_text=kavira", "us/ok/tulsa/profile/x/kavira",
     "us/ok/tulsa/profile/../../api/kavira-1116-1/../x"],
)  # fmt: skip
def test_what_is_no_profile_is_refused(profile: str) -> None:
    with pytest.raises(ValidationError):
        BbbConfig(profile=profile)
