"""Runs of long ago that brought nothing are taken away; what says something stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import CrawlRun
from pipeline import old_runs
from pipeline.old_runs import delete_old_runs
from tests.factories import add_source

DAY = timedelta(days=1)


def _run(session: Session, source_id: int, at: datetime, **given: Any) -> int:
    values = {"outcome": "blocked", "started_at": at, "finished_at": at, "profile": {}}
    row = CrawlRun(source_id=source_id, **(values | {"coverage": {}} | given))
    session.add(row)
    session.flush()
    return row.id


def _left(session: Session) -> set[int]:
    return set(session.scalars(select(CrawlRun.id)))


@pytest.fixture(autouse=True)
def _few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_runs, "KEPT_RUNS", 2)


def test_an_old_run_without_posts_is_taken_away(session: Session, now: datetime) -> None:
    source = add_source(session).id
    newest = [_run(session, source, now - n * DAY) for n in (1, 2)]
    recent = _run(session, source, now - 89 * DAY)
    brought = _run(session, source, now - 92 * DAY, posts_new=1)
    changed = _run(session, source, now - 93 * DAY, posts_changed=1)
    for age in (91, 94, 95):
        _run(session, source, now - age * DAY)
    assert delete_old_runs(session, now=now) == 3
    assert _left(session) == {*newest, recent, brought, changed}
    assert delete_old_runs(session, now=now) == 0


def test_what_the_next_run_is_compared_with_stays(session: Session, now: datetime) -> None:
    slow, silent = add_source(session).id, add_source(session).id
    whole = {"outcome": "ok", "coverage": {"until": now.isoformat()}}
    kept = [_run(session, slow, now - age * DAY) for age in (200, 300)]
    kept += [_run(session, silent, now - age * DAY) for age in (100, 101)]
    kept.append(_run(session, silent, now - 400 * DAY, **whole))
    _run(session, silent, now - 401 * DAY, **whole)
    assert delete_old_runs(session, now=now) == 1
    assert _left(session) == {*kept}


def test_a_batch_is_not_the_whole_table(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_runs, "_MOST_DELETED", 3)
    source = add_source(session).id
    for age in range(7):
        _run(session, source, now - (100 + age) * DAY)
    assert [delete_old_runs(session, now=now) for _ in range(3)] == [3, 2, 0]
