"""A real crawl child crawls a site that only a file of the operator knows."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from tests.crawlers.conftest import child
from tests.crawlers.site import page, serving

SITE = """
kind: kettles
title: Kettles
family: cards
posts: review
minimum_interval_seconds: 60
params: {url: {type: address}}
url: "{url}"
items: .r
order: none
fields: {id: "::attr(id)", text: p}
next: {by: link, link: "a::attr(href)"}
"""


def test_a_file_of_the_operator_is_crawled_beside_a_broken_one(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "kettles.yaml").write_text(SITE, "utf-8")
    (tmp_path / "broken.yaml").write_text("kind: broken\nitems: 3", "utf-8")
    given = {"sites": str(tmp_path), "opted_in": ["kettles"]}
    with serving() as site, child(engine, database_url, site, **given) as crawler:
        site.pages["/k"] = page('<div class="r" id="1"><p>Curi.</p></div><a href="/k2">2</a>')
        site.pages["/k2"] = page('<div class="r" id="2"><p>Ne radi.</p></div>')
        source = crawler.source(f"{site.url}/k", kind="kettles")
        run = crawler.crawl(source)
        assert (run.outcome, crawler.texts(source)) == ("ok", ["Curi.", "Ne radi."])
