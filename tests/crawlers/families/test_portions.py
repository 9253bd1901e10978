"""A page of too many items is read whole, in several goes; else the run says what is unread."""

from __future__ import annotations

import json

import pytest

from crawlers.contract import Page
from crawlers.errors import DriftError
from crawlers.families import portions
from tests.crawlers.enlarged import Enlarged, page_of
from tests.crawlers.saved_pages import parse

PAGES = (
    "bbb",
    "bbb-reviews/page_with_cards",
    "ceneo",
    "consumeraffairs",
    "delfi",
    "feed",
    "phpbb",
    "telegram",
    "wordpress-page",
)


@pytest.mark.parametrize("page", PAGES)
def test_the_goes_together_read_every_item(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _, name = page.partition("/")
    large = Enlarged(page_of(kind, name=name or None))
    body = large.body(90)
    whole = large.read(body)
    monkeypatch.setattr(portions, "MOST", 40)
    goes = _goes(large, body)
    read = {post.external_id: post for one in goes for post in one.posts}
    assert read == {post.external_id: post for post in whole.posts}
    assert len(goes) == 1 + -(-(len(whole.posts) - 40) // (40 - portions.AGAIN))
    assert goes[-1].ahead == whole.ahead
    assert _address(goes[-1]) == _address(whole)
    assert all(one.announced is not None and one.announced <= 40 for one in goes)


def _goes(large: Enlarged, body: bytes) -> list[Page]:
    """As the engine asks for them; the same page each time."""
    goes = [large.read(body)]
    while (following := goes[-1].next) is not None and "from" in following.state:
        assert following.url == large.url
        goes.append(large.read(body, state=dict(following.state), ahead=goes[-1].ahead))
    return goes


def _address(page: Page) -> str | None:
    return page.next.url if page.next else None


def test_a_page_that_has_become_shorter_meanwhile_is_read_to_its_end() -> None:
    large = Enlarged(page_of("phpbb"))
    page = large.read(large.body(5), state={"from": 980})
    assert len(page.posts) >= 5


def test_more_than_an_api_was_asked_for_ends_the_run_in_words() -> None:
    page = parse("isso", json.dumps({"replies": [_reply(one) for one in range(10_001)]}).encode())
    assert len(page.posts) == 10_000
    assert isinstance(page.dead_end, DriftError)
    assert "10001 items" in str(page.dead_end)


def _reply(number: int) -> dict[str, object]:
    return {"id": number + 1, "text": "x", "mode": 1, "created": 1771863600.5}


def test_reviews_behind_those_that_are_read_of_a_page_are_spoken_of() -> None:
    large = Enlarged(page_of("schema-org"))
    page = large.read(large.body(2_500))
    assert len(page.posts) == 2_000
    assert "more than 2000 reviews" in str(page.dead_end)
    assert large.read(large.body(100)).dead_end is None
