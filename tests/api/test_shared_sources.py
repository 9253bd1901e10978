"""A source is crawled for all workspaces: one of them takes nothing from the others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.neighbours import is_others
from api.shown import show_id
from core.ids import Prefix
from core.models import Mention, Source
from core.types import Role
from tests.api.conftest import Ask, Customer, make_customer
from tests.factories import add_source, add_workspace


def path_of(source: Source) -> str:
    return f"/v1/sources/{show_id(Prefix.SOURCE, source.id)}"


@pytest.mark.parametrize("role", [Role.OPS, Role.ADMIN])
def test_nobody_deletes_a_source_from_which_others_have_mentions(
    ask: Ask, ours: Customer, theirs: Customer, source: Source, session: Session, role: Role
) -> None:
    for query in ("", "?with_posts=true"):
        refused = ask("DELETE", path_of(source) + query, key=ours.keys[role])
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:goodname:problem:used-by-others"
        assert "theirs" not in refused.text
        assert "settings.toml" in refused.json()["detail"]
    assert session.scalar(select(func.count()).select_from(Mention)) == 2


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"is_enabled": False}, 409),
        ({"interval_seconds": 86_400}, 409),
        ({"params": {"url": "https://elsewhere.example/feed.xml"}}, 409),
        ({"time_zone": "Asia/Tokyo"}, 409),
        ({"interval_seconds": 600, "is_enabled": False}, 409),
        ({"interval_seconds": 600}, 200),
        ({"is_enabled": True, "params": {"url": "https://board.example/feed.xml"}}, 200),
    ],
)
def test_what_others_hear_is_not_made_less(
    ask: Ask,
    ours: Customer,
    theirs: Customer,
    source: Source,
    change: dict[str, Any],
    status: int,
) -> None:
    key, path = ours.keys[Role.OPS], path_of(source)
    before = ask("GET", path, key=key).json()
    answer = ask("PATCH", path, key=key, json=change)
    assert answer.status_code == status, answer.text
    if status == 409:
        assert ask("GET", path, key=key).json() == before


def test_a_source_from_which_nobody_else_has_a_mention_is_ones_own(
    ask: Ask, ours: Customer, theirs: Customer, session: Session
) -> None:
    unread, alone = add_source(session), add_source(session)
    add_workspace(session)
    last = make_customer(session, alone, "last")
    slower = {"interval_seconds": 86_400, "is_enabled": False}
    for source in (unread, alone):
        path, key = path_of(source), last.keys[Role.OPS]
        assert ask("PATCH", path, key=key, json=slower).status_code == 200
        assert ask("DELETE", f"{path}?with_posts=true", key=key).status_code == 204
    left = session.scalars(select(Mention.workspace_id)).all()
    assert sorted(left) == sorted([ours.workspace.id, theirs.workspace.id])


def test_without_a_workspace_nobody_is_told(session: Session, source: Source) -> None:
    with pytest.raises(RuntimeError, match="in no workspace"):
        is_others(session, source.id)
