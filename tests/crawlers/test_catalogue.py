"""Spiders are found by their files, and the API learns of them by a table."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import SourceKind
from crawlers.catalogue import register_kinds, spiders
from crawlers.contract import Spider
from tests.crawlers.saved_pages import config_of, saved_pages

ROOT = Path(__file__).parents[2]


def test_every_file_of_the_folder_is_one_spider() -> None:
    found = (ROOT / "crawlers/spiders").glob("[a-z]*.py")
    files = {path.stem.replace("_", "-") for path in found}
    files |= {path.stem for path in (ROOT / "crawlers/sites").glob("*.yaml")}
    assert files == set(spiders())
    assert all(spider.kind == kind for kind, spider in spiders().items())


def test_kinds_are_written_once_and_brought_up_to_date(session: Session, now: datetime) -> None:
    register_kinds(session, now)
    session.get_one(SourceKind, "feed").title = "An old title"
    session.flush()
    register_kinds(session, now + timedelta(days=1))
    session.expire_all()
    rows = {row.kind: row for row in session.scalars(select(SourceKind))}
    assert set(spiders()) <= set(rows)
    assert rows["feed"].title == spiders()["feed"].title
    assert rows["feed"].updated_at == now + timedelta(days=1)
    assert rows["feed"].config_schema["properties"]["url"]["format"] == "uri"
    assert rows["hackernews"].config_schema["required"] == ["query"]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("feed", {}),
        ("feed", {"url": "file:///etc/passwd"}),
        ("feed", {"url": "https://"}),
        ("feed", {"url": "https://user:word@site.example/"}),
        ("feed", {"url": "https://site.example:x/"}),
        ("feed", {"url": "https://site.example/", "adress": "typo"}),
        ("hackernews", {"query": ""}),
        ("trustpilot", {"domain": "../../login"}),
        ("trustpilot", {"domain": "kavira.example/../x"}),
        ("trustpilot", {"domain": "kavira.example?x=1"}),
        ("consumeraffairs", {"url": "kavira.html"}),
        ("x", {"query": "k" * 500}),
        ("x", {"query": "kavira", "base_url": "https://elsewhere.example"}),
        ("youtube", {}),
        ("youtube", {"video_ids": ["../../evil"]}),
        ("youtube", {"channel_id": "kavira"}),
        ("facebook", {"page": "kavira/../me"}),
        ("facebook", {"page": "kavira", "version": "v26.0/me"}),
        ("google-business", {"account": "1", "location": "2/reviews"}),
    ],
)
def test_a_wrong_config_is_refused(kind: str, config: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        spiders()[kind].config(**config)


@pytest.mark.parametrize("kind", sorted(spiders()))
def test_a_spider_stays_on_the_configured_host(kind: str) -> None:
    spider, params = spiders()[kind], config_of(kind)
    settable = next((one for one in ("base_url", "url") if one in spider.config.model_fields), None)
    if settable is not None:
        config = spider.config(**(params | {settable: "http://127.0.0.1:9/page"}))
        start = spider.start(config, cursor={}).url
        assert start.startswith("http://127.0.0.1:9/page")
        return
    start = spider.start(spider.config(**params), cursor={}).url
    followed = [page.expected.get("next") for page in saved_pages(kind)]
    hosts = {urlsplit(url)[:2] for url in [start, *filter(None, followed)]}
    assert len(hosts) == 1
    assert start.startswith("https://")


def test_the_docs_list_every_kind_with_its_interval_and_whether_it_is_verified() -> None:
    text = (ROOT / "docs/sources.md").read_text("utf-8")
    rows = {
        cells[1].strip("` "): cells
        for cells in (line.split("|") for line in text.splitlines())
        if len(cells) > 5 and re.fullmatch(r" `[a-z0-9-]+` ", cells[1])
    }
    assert set(rows) == set(spiders())
    for kind, spider in spiders().items():
        row = "|".join(rows[kind])
        assert f"{spider.minimum_interval_seconds // 60} min" in row
        assert ("unverified" not in row) == spider.is_verified
        assert all(f"`{name}`" in row for name in spider.config.model_fields)


@pytest.mark.parametrize(
    ("asks", "reads"), [("recheck", "parse_recheck"), ("log_in", "read_token")]
)
def test_who_asks_also_reads_the_answer(asks: str, reads: str) -> None:
    for spider in spiders().values():
        asked, read = (
            getattr(type(spider), name) is not getattr(Spider, name) for name in (asks, reads)
        )
        assert asked == read, (spider.kind, asks, reads)


def test_a_kind_with_a_credential_shows_it_and_any_other_has_none_to_show() -> None:
    for spider in spiders().values():
        assert bool(spider.secrets) == (type(spider).sign is not Spider.sign), spider.kind
