"""The docs say of how far each kind is read, and where absence counts, what the code does."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from crawlers.catalogue import spiders
from crawlers.contract import Spider
from crawlers.families.items import ItemSpider

DOCS = (Path(__file__).parents[2] / "docs/sources.md").read_text("utf-8")
_UNITS = {"hour": "hours", "day": "days"} | {u: u for u in ("seconds", "minutes", "hours", "days")}


def _overlaps() -> dict[str, timedelta | None]:
    """By kind, from the table; None where it names no span."""
    table = DOCS.split("| overlap |")[1].split("\n\n")[0]
    found: dict[str, timedelta | None] = {}
    for _, span, kinds, _ in (line.split("|") for line in table.splitlines()[2:]):
        time = re.fullmatch(r" (\d+) (\w+) ", span)
        overlap = timedelta(**{_UNITS[time[2]]: int(time[1])}) if time else None
        found |= dict.fromkeys(re.findall(r"`([a-z0-9-]+)`", kinds), overlap)
    return found


def _overlap(spider: Spider) -> timedelta | None:
    module = import_module(type(spider).__module__)
    own = spider.overlap if isinstance(spider, ItemSpider) else None
    found: timedelta | int | None = getattr(module, "OVERLAP", own)
    # Bluesky's stream counts in microseconds.
    return timedelta(microseconds=found) if isinstance(found, int) else found


def test_the_table_of_overlaps_has_every_kind_with_its_own() -> None:
    told = _overlaps()
    assert set(told) == set(spiders())
    wrong = {k: s for k, s in told.items() if s and s != (_overlap(spiders()[k]) or s)}
    assert not wrong


def test_the_docs_name_the_kinds_in_which_absence_counts() -> None:
    said = re.search(r"Absence counts for(.*?); where(.*?)\. The lists(.*?)notice it", DOCS, re.S)
    assert said is not None
    told = [set(re.findall(r"`([a-z0-9-]+)`", part)) for part in said.groups()]
    asks = {k for k, s in spiders().items() if type(s).recheck is not Spider.recheck}
    gapless = {kind for kind, spider in spiders().items() if spider.is_gapless}
    assert told == [gapless - asks, gapless & asks, asks - gapless]
