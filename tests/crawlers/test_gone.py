"""A post is gone when its site says so, and not when nobody could ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import Fetched, KnownPost
from crawlers.errors import CrawlError
from tests.crawlers.saved_pages import config_of

POST = KnownPost(external_id="77", url="https://kavira.example/77")
WORDS = {
    "discourse": {"errors": ["The requested URL could not be found."], "error_type": "not_found"},
    "nodebb": {"status": {"code": "not-found", "message": "Post does not exist"}, "response": {}},
    "wordpress": {"code": "rest_comment_invalid_id", "message": "Invalid comment ID."},
}
ELSEWHERE = (
    b"<html><head><title>404 Not Found</title></head><body>nginx</body></html>",
    b"",
    b'{"code": "rest_no_route", "message": "No route was found", "data": {"status": 404}}',
    b'{"status": {"code": "not-found", "message": "Invalid API call"}, "response": {}}',
)


def not_found(kind: str, body: bytes) -> Fetched:
    spider = spiders()[kind]
    request = spider.recheck(spider.config(**config_of(kind)), [POST])
    assert request is not None
    return Fetched(
        url=request.url,
        status=404,
        headers={},
        body=body,
        fetched_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("kind", WORDS)
def test_the_sites_own_word_takes_a_post_away(kind: str) -> None:
    spider = spiders()[kind]
    config, body = spider.config(**config_of(kind)), json.dumps(WORDS[kind]).encode()
    assert spider.parse_recheck(not_found(kind, body), config, [POST]).gone == ("77",)


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("body", ELSEWHERE)
def test_a_404_of_somebody_else_takes_no_post_away(kind: str, body: bytes) -> None:
    spider = spiders()[kind]
    config = spider.config(**config_of(kind))
    with pytest.raises(CrawlError):
        spider.parse_recheck(not_found(kind, body), config, [POST])
