"""Killed at every named point, a worker loses nothing and does nothing twice."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from core.crash import POINTS
from core.models import Alert, AlertRule, Mention
from tests.pipeline.conftest import SECRET, Clock, Outbox, build_outbox
from tests.pipeline.receivers import Scripted, scripted_receiver
from tests.pipeline.test_worker import ALL, keep_some, settings_of
from tests.pipeline.worker_process import worker_process

pytestmark = pytest.mark.slow
POSTS = 12
#: Those that a live post passes; tests/pipeline/test_rejudge_worker.py visits the others.
LIVE = [point for point in POINTS if not point.startswith("rejudge")]


@pytest.fixture
def told(engine: Engine) -> tuple[Outbox, Scripted]:  # type: ignore[misc]
    with scripted_receiver() as hook:
        webhook = {"kind": "webhook", "address": hook.url, "secret": SECRET}
        outbox = build_outbox(
            engine, Clock(), webhook, allowed_addresses=[hook.address], timeout_seconds=0.5
        )
        with Session(engine) as session:
            session.execute(update(AlertRule).values(sentiments=ALL, at_once_severity=0))
            session.commit()
        yield outbox, hook


@pytest.mark.parametrize("point", LIVE)
def test_killed_there_nothing_is_lost_and_nothing_twice(
    told: tuple[Outbox, Scripted], database_url: str, point: str
) -> None:
    outbox, hook = told
    settings = settings_of(outbox)
    for _ in range(3):
        keep_some(outbox, POSTS // 3)
        with worker_process(database_url, settings, crash=point) as worker:
            assert worker.process.wait(timeout=60) == 137
    with worker_process(database_url, settings):
        wait_until_told(outbox)
    check_ledger(outbox, hook)


def wait_until_told(outbox: Outbox, *, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        states = Counter(d.state for d in outbox.deliveries())
        if states == {"delivered": POSTS}:
            return
        time.sleep(0.2)
    raise AssertionError(f"after {seconds} s: {states}")


def check_ledger(outbox: Outbox, hook: Scripted) -> None:
    with Session(outbox.engine) as session:
        assert session.scalar(select(func.count()).select_from(Mention)) == POSTS
        assert session.scalar(select(func.count()).select_from(Alert)) == POSTS
    keys = {str(d.idempotency_key) for d in outbox.deliveries()}
    assert {got.headers["webhook-id"] for got in hook.got} == keys
    assert len(keys) == POSTS


def test_every_point_is_in_the_code() -> None:
    root = Path(__file__).parents[2] / "pipeline"
    code = "\n".join(file.read_text() for file in root.rglob("*.py"))
    assert all(f'crash_point("{name}")' in code for name in POINTS)
