"""A running process shows; one that left does not."""

from __future__ import annotations

import time

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.models import Process
from core.process import beating


def _count(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Process)) or 0


def test_a_process_beats_while_it_runs_and_leaves_no_row(engine: Engine) -> None:
    with beating(engine, role="judge"):
        deadline = time.monotonic() + 10
        while _count(engine) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert _count(engine) == 0


def test_a_database_that_is_away_does_not_end_the_process(engine: Engine) -> None:
    away = owner_engine("postgresql://nobody@/nothing?host=/nonexistent", pool_size=1)
    with beating(away, role="judge"):
        assert _count(engine) == 0
    away.dispose()
