"""isso: a thread that is not found."""

from __future__ import annotations

import pytest

from crawlers.catalogue import spiders
from crawlers.errors import CrawlError
from tests.crawlers.talking import answer, config

ISSO = spiders()["isso"]


def test_a_thread_that_is_not_found_may_be_a_wrong_address_and_is_an_error() -> None:
    request = ISSO.start(config("isso"), cursor={})
    fetched = answer("<title>404 Not Found</title>", status=404, url=request.url)
    assert 404 not in ISSO.read_statuses
    with pytest.raises(CrawlError, match="404"):
        ISSO.parse(fetched, config("isso"), cursor={}, ahead={"newest": "x"})
