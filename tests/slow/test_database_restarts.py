"""The database dies under a worker again and again: it goes on, and nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.migrate import upgrade
from core.models import AlertRule, Mention
from core.postgres.cluster import running
from tests.pipeline.conftest import SECRET, Clock, build_outbox
from tests.pipeline.receivers import Got, scripted_receiver
from tests.pipeline.test_worker import ALL, keep_some, settings_of
from tests.pipeline.worker_process import worker_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
RESTARTS = 4
POSTS = 5


def test_a_worker_outlives_a_database_that_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    recovered: list[float] = []
    with running(data) as server, scripted_receiver() as hook:
        engine = owner_engine(server.url)
        upgrade(engine)
        webhook = {"kind": "webhook", "address": hook.url, "secret": SECRET}
        outbox = build_outbox(
            engine, Clock(), webhook, allowed_addresses=[hook.address], timeout_seconds=1
        )
        with Session(engine) as session:
            session.execute(update(AlertRule).values(sentiments=ALL, at_once_severity=0))
            session.commit()
        with worker_process(server.url, settings_of(outbox)) as worker:
            worker.wait_for("worker_started")
            for round_ in range(1, RESTARTS + 1):
                keep_some(outbox, POSTS)  # the worker may be in the midst of these
                os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                time.sleep(1)
                with running(data) as again:
                    assert again.url == server.url
                    engine.dispose()
                    began = time.monotonic()
                    keep_some(outbox, POSTS)
                    wanted = 2 * POSTS * round_
                    wait_for_keys(hook.got, wanted, seconds=60)
                    recovered.append(time.monotonic() - began)
            assert worker.process.poll() is None
            assert worker.stop()[0] == 0
        total = 2 * POSTS * RESTARTS
        with Session(engine) as session:
            assert session.scalar(select(func.count()).select_from(Mention)) == total
        keys = {str(d.idempotency_key) for d in outbox.deliveries()}
        assert {got.headers["webhook-id"] for got in hook.got} == keys
        assert len(keys) == total
        engine.dispose()
    print("recovered after", [f"{one:.1f} s" for one in recovered])  # noqa: T201
    assert max(recovered) < 30


def wait_for_keys(got: Sequence[Got], count: int, *, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if len({one.headers["webhook-id"] for one in got}) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"only {len(got)} of {count} arrived in {seconds} s")
