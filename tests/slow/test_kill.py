"""Kill workers at random moments: nothing is lost and nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from core.database import Urls
from core.declared import BrandEntry, ReceiverEntry, RuleEntry, SourceEntry
from core.models import Alert, Delivery, Mention, PostRow, Source
from core.settings import CrawlSection, Settings
from core.types import ReceiverKind
from goodname.prepare import prepare
from tests.slow.busy_site import BusySite, make_posts
from tests.slow.processes import start, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

POSTS = 2_000
TOPICS = 4
KILLS = 20
WORKERS = ("crawl", "judge", "deliver")


def test_twenty_kills_during_two_thousand_posts_lose_and_double_nothing(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    draw = random.Random(os.environ.get("GOODNAME_SEED", "20"))
    posts = make_posts(
        POSTS, topics=TOPICS, brand="Voltano", newest=int(time.time()) - 60, draw=draw
    )
    log = tmp_path / "log"
    with BusySite(posts) as site:
        prepare(Urls(owner=database_url, app=database_url), _settings(site), now=datetime.now(UTC))
        env = _env(database_url, site)
        workers = {name: start("worker", "--queue", name, env=env, log=log) for name in WORKERS}
        scheduler = start("scheduler", env=env, log=log)
        try:
            wait_until(lambda: _counts(engine)[0], seconds=60, what="the first post", log=log)
            progress = []
            for _ in range(KILLS):
                time.sleep(draw.uniform(0.5, 5))
                progress.append(_counts(engine))
                name = draw.choice(WORKERS)
                _kill(workers[name])
                workers[name] = start("worker", "--queue", name, env=env, log=log)
            wait_until(
                lambda: _is_settled(engine), seconds=200, what="all judged and delivered", log=log
            )
        finally:
            for process in (*workers.values(), scheduler):
                _kill(process)
    _check(engine, site)
    midway = [kept for kept, _ in progress if 0 < kept < POSTS]
    print(f"kept and judged at each kill: {progress}")  # noqa: T201
    assert len(midway) >= KILLS // 4, f"the work was over too early to prove anything: {progress}"


def _what_waits(engine: Engine) -> str:
    """Where it hangs, for whoever has to find out."""
    with Session(engine) as session:
        jobs = session.execute(
            text(
                "SELECT status, task_name, lock, attempts, scheduled_at, worker_id, args"
                " FROM queue.procrastinate_jobs WHERE status <> 'succeeded' ORDER BY id"
            )
        ).all()
        sources = session.execute(
            select(Source.slug, Source.cursor, Source.resume, Source.last_reason)
        ).all()
        deliveries = session.execute(
            select(Delivery.state, Delivery.attempts, Delivery.last_error, func.count()).group_by(
                Delivery.state, Delivery.attempts, Delivery.last_error
            )
        ).all()
    return f"{_counts(engine)}\n{jobs}\n{sources}\n{deliveries}"


def _counts(engine: Engine) -> tuple[int, int]:
    """How many posts are kept, and judged."""
    with Session(engine) as session:
        kept, judged = session.execute(
            select(func.count(), func.count(PostRow.judged_version))
        ).one()
    return kept, judged


def _check(engine: Engine, site: BusySite) -> None:
    with Session(engine) as session:
        kept = session.scalars(select(PostRow.external_id)).all()
        mentions = session.execute(select(Mention.post_id, Mention.brand_id)).all()
        urgent = session.scalar(
            select(func.count()).where(Mention.sentiment == "negative", Mention.severity >= 3)
        )
        alerts = session.scalar(select(func.count()).where(Alert.is_grouped.is_(False)))
        deliveries = session.scalars(select(Delivery)).all()
        versions = session.scalar(select(func.max(PostRow.version)))
    assert len(kept) == len(set(kept)) == POSTS
    assert len(mentions) == len(set(mentions)) == POSTS
    assert versions == 1
    assert urgent is not None
    assert urgent > POSTS // 20, "the judge found too little for the proof to mean anything"
    assert alerts == urgent
    sent = {str(row.idempotency_key) for row in deliveries}
    assert all(row.state == "delivered" for row in deliveries)
    assert {key.split("_")[-1] for key in site.received} == sent
    repeats = sum(site.received.values()) - len(site.received)
    print(f"{KILLS} kills, {POSTS} posts, {alerts} alerts, {repeats} repeated deliveries")  # noqa: T201


def _is_settled(engine: Engine) -> bool:
    with Session(engine) as session:
        judged = session.scalar(
            select(func.count()).where(PostRow.judged_version == PostRow.version)
        )
        waiting = session.scalar(select(func.count()).where(Delivery.state == "pending"))
        if judged is not None and judged < POSTS:
            # A run that found everything read moves its cursor; ask for the next at once.
            session.execute(
                update(Source)
                .where(Source.next_due_at > func.now() + text("interval '20 seconds'"))
                .values(next_due_at=func.now(), updated_at=func.now())
            )
            session.commit()
    return judged == POSTS and waiting == 0


def _settings(site: BusySite) -> Settings:
    url = f"http://{site.address}"
    return Settings(
        crawl=CrawlSection(allowed_addresses=[site.address]),
        brands=[BrandEntry(slug="voltano", name="Voltano")],
        sources=[
            SourceEntry(
                slug=f"topic-{topic}",
                kind="hackernews",
                params={"query": "Voltano", "base_url": f"{url}/t{topic}"},
                interval_seconds=5,
            )
            for topic in range(TOPICS)
        ],
        receivers=[ReceiverEntry(slug="inbox", kind=ReceiverKind.WEBHOOK, address=f"{url}/inbox")],
        rules=[
            RuleEntry(
                slug="bad",
                at_once="high",
                grouped="medium",
                receivers=["inbox"],
                group_wait_seconds=5,
            )
        ],
    )


def _env(database_url: str, site: BusySite) -> dict[str, str]:
    return {
        "GOODNAME_DATABASE__URL": database_url,
        "GOODNAME_CRAWL__ALLOWED_ADDRESSES": f'["{site.address}"]',
        "GOODNAME_DELIVERY__ALLOWED_ADDRESSES": f'["{site.address}"]',
        "GOODNAME_CRAWL__DELAY_SECONDS": "0",
        "GOODNAME_CRAWL__LONGEST_DELAY_SECONDS": "0",
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill only the process itself: what it started must notice and end by itself."""
    process.send_signal(signal.SIGKILL)
    process.wait()
