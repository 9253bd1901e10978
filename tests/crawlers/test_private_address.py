"""A source whose own address holds a token: it is asked with it, and told of without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.crawlers.conftest import Crawler
from tests.crawlers.site import Site, page, posts, redirect, status

KEY = "key-canary-91"
_TABLES = ("crawl_run", "post", "dead_letter", "operations_alert", "source_hour")


@pytest.fixture
def told(crawler: Crawler) -> Iterator[None]:
    """Afterwards the token stands in the params of the sources, and in nothing that is shown."""
    yield
    written = ""
    with Session(crawler.engine) as session:
        for table in _TABLES:
            written += "\n".join(
                session.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")).scalars()
            )
        written += "\n".join(session.execute(text("SELECT last_reason FROM source")).scalars())
        bodies = session.execute(text("SELECT url, headers::text FROM raw_answer")).all()
    assert KEY not in written + str(bodies)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("line", ["404 Not Found", "403 Forbidden", "500 Internal Server Error"])
def test_a_refused_run_says_where_and_not_with_what(
    line: str, crawler: Crawler, site: Site
) -> None:
    site.pages["/feed.xml"] = status(line)
    run = crawler.crawl(crawler.source(f"{site.url}/feed.xml?key={KEY}&page=1"))
    assert f"({site.url}/feed.xml?key=***&page=1)" in (run.reason or "")
    assert site.paths()[-1] == f"/feed.xml?key={KEY}&page=1"


@pytest.mark.usefixtures("told")
def test_what_is_read_there_names_the_token_nowhere(crawler: Crawler, site: Site) -> None:
    url = f"{site.url}/feed.xml?key={KEY}"
    site.pages["/feed.xml"] = page(posts(("a", "The parcel never came."), following=url))
    source = crawler.source(url)
    run = crawler.crawl(source)
    assert (run.outcome, run.posts_new) == ("drift", 1)  # a circle: the next page is the first
    with Session(crawler.engine) as session:
        shown = session.execute(
            text("SELECT url FROM post WHERE source_id = :source"), {"source": source}
        ).scalar_one()
    assert shown == f"{site.url}/feed.xml"


@pytest.mark.usefixtures("told")
def test_a_spider_that_breaks_or_is_sent_away_tells_no_token(crawler: Crawler, site: Site) -> None:
    site.pages["/bad"] = page("{}")
    site.pages["/nothing"] = page("<html>")
    site.pages["/away"] = redirect(f"{site.url}/gone?key={KEY}")
    for path in ("bad", "nothing", "away"):
        run = crawler.crawl(crawler.source(f"{site.url}/{path}?key={KEY}"))
        assert "?key=***" in (run.reason or "")
