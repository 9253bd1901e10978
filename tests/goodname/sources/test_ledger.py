"""What `goodname sources record` asks for is counted beside what the crawls spend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import GoodnameError
from core.models import QuotaUse
from core.settings import Settings
from crawlers.errors import QuotaError
from goodname.sources.fetch import Hand
from goodname.sources.record import record_by
from tests.crawlers.saved_pages import FOLDER as PAGES
from tests.crawlers.site import Site, page
from tests.factories import NOW
from tests.goodname.sources.trying import settings_for


def _settings(web: Site, **database: Any) -> Settings:
    web.pages["/api/v2/search"] = page((PAGES / "mastodon-search/first.json").read_text("utf-8"))
    params = {"instance": web.url, "query": "kavira", "credential": "ours"}
    return settings_for(
        web,
        sources=[{"slug": "toots", "kind": "mastodon-search", "params": params}],
        crawl={"opted_in": ["mastodon-search"]},
        credentials={"ours": {"instance": web.url, "access_token": "s3cret-word"}},
        database=database,
    )


def _record(settings: Settings, folder: Path) -> int:
    with Hand(settings.crawl, clock=lambda: NOW) as hand:
        _, visits = record_by(hand, settings, "toots", folder=folder, most_pages=2)
    return len(visits)


def _used(engine: Engine) -> list[tuple[str, str, int]]:
    with Session(engine) as session:
        return [(row.kind, row.credential, row.used) for row in session.scalars(select(QuotaUse))]


def test_each_page_of_a_recording_is_counted(
    web: Site, tmp_path: Path, database_url: str, engine: Engine
) -> None:
    settings = _settings(web, url=database_url)
    assert _record(settings, tmp_path) == 2
    assert _used(engine) == [("mastodon-search", "ours", 2)]


def test_what_is_spent_is_not_asked_for(
    web: Site, tmp_path: Path, database_url: str, engine: Engine
) -> None:
    settings = _settings(web, url=database_url)
    _record(settings, tmp_path)
    with Session(engine) as session:
        session.scalars(select(QuotaUse)).one().used = 300
        session.commit()
    before = len(web.paths())
    with pytest.raises(QuotaError, match="300 of 300 units are spent; more at 2026-03-02 12:05"):
        _record(settings, tmp_path)
    assert len(web.paths()) == before
    assert _used(engine) == [("mastodon-search", "ours", 300)]


def test_without_a_database_nothing_is_counted_and_none_is_made(web: Site, tmp_path: Path) -> None:
    settings = _settings(web, data_dir=str(tmp_path / "none"))
    assert _record(settings, tmp_path / "recordings") == 2
    assert not (tmp_path / "none").exists()


def test_where_the_ledger_is_away_nothing_is_asked(web: Site, tmp_path: Path) -> None:
    settings = _settings(web, url="postgresql://ann:pw-canary@127.0.0.1:9/goodname")
    with pytest.raises(GoodnameError, match="mastodon-search cannot be counted") as refused:
        _record(settings, tmp_path)
    assert "canary" not in str(refused.value)
    assert web.paths() == []
