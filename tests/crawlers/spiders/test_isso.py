"""isso: what its older servers say of an article without comments."""

from __future__ import annotations

from crawlers.catalogue import spiders
from tests.crawlers.talking import answer, config

ISSO = spiders()["isso"]


def test_an_article_without_comments_is_not_found_and_no_error() -> None:
    request = ISSO.start(config("isso"), cursor={})
    fetched = answer("<title>404 Not Found</title>", status=404, url=request.url)
    assert ISSO.explain(fetched, config("isso")) is None
    assert 404 in ISSO.read_statuses
    page = ISSO.parse(fetched, config("isso"), cursor={}, ahead={"newest": "x"})
    assert (page.posts, page.next, dict(page.ahead)) == ((), None, {"newest": "x"})
    assert page.announced is None  # a wrong address answers the same, so this is not "nothing"
