"""A source to record is found in the settings and, where there is one, in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.errors import GoodnameError
from core.settings import Settings
from goodname.sources.find import find_source
from tests.factories import add_source

BOARD = {"slug": "board", "kind": "feed", "params": {"url": "https://declared.example/feed"}}


def _settings(**database: Any) -> Settings:
    return Settings.model_validate({"sources": [BOARD], "database": database})


def test_what_the_settings_declare_needs_no_database(tmp_path: Path) -> None:
    found = find_source(_settings(data_dir=str(tmp_path / "none")), "board")
    assert found.params == BOARD["params"]
    assert list(tmp_path.iterdir()) == []


def test_without_a_database_it_says_where_it_looked_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(GoodnameError) as refused:
        find_source(_settings(data_dir=str(tmp_path / "none")), "bord")
    for words in ("no source 'bord'", "settings (there: board)", "[database] url", str(tmp_path)):
        assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_is_named() -> None:
    away = _settings(url="postgresql://ann:pw-canary@127.0.0.1:9/goodname")
    with pytest.raises(GoodnameError, match="could not be asked: cannot reach") as refused:
        find_source(away, "bord")
    assert "canary" not in str(refused.value)


def test_a_source_of_the_database_is_found_and_the_declared_one_goes_first(
    database_url: str, engine: Engine
) -> None:
    with Session(engine) as session:
        add_source(session, slug="board", params={"url": "https://kept.example/feed"})
        add_source(session, slug="made-here", kind="discourse", time_zone="Europe/Warsaw",
                   interval_seconds=120, params={"url": "https://forum.example"})  # fmt: skip
        session.commit()
    settings = _settings(url=database_url)
    found = find_source(settings, "made-here")
    assert (found.kind, found.params) == ("discourse", {"url": "https://forum.example"})
    assert (found.time_zone, found.interval_seconds) == ("Europe/Warsaw", 120)
    assert find_source(settings, "board").params == BOARD["params"]
    with pytest.raises(GoodnameError) as refused:
        find_source(settings, "made-her")
    said = str(refused.value)
    assert "settings (there: board), nor in the database (there: board, made-here)" in said
    assert "did you mean 'made-here'?" in said
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE source RENAME TO before"))
    with pytest.raises(GoodnameError, match="run `goodname migrate`"):
        find_source(settings, "made-here")
