"""A site without code, its pages and the settings with which the tests of sources try it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.settings import Settings
from tests.crawlers.saved_pages import FOLDER as PAGES
from tests.crawlers.site import Site

SITE = """
kind: kettles
title: Kettles
family: cards
posts: review
minimum_interval_seconds: 3600
params:
  url: {type: address}
url: "{url}"
items: .r
empty: .none
fields: {id: "::attr(id)", text: p, author: b}
next: {by: number, query: page, more: .more}
contract: {filled: {author: 0.9}}
"""
CARDS = "".join(f'<div class="r" id="{n}"><p>Curi {n}.</p><b>Ana</b></div>' for n in range(6))
FEED = (PAGES / "feed/forum_pl.xml").read_bytes()


def settings_for(web: Site, **more: Any) -> Settings:
    crawl = {"allowed_addresses": [web.address], "delay_seconds": 0.0, "timeout_seconds": 3.0}
    return Settings.model_validate({"crawl": crawl | more.pop("crawl", {}), **more})


def site_file(folder: Path) -> Path:
    path = folder / "kettles.yaml"
    path.write_text(SITE, "utf-8")
    return path
