"""The demo with names, texts and order drawn at random: every stage ran, over real HTTP."""

from __future__ import annotations

import json
import os
import random
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.models import (
    Alert,
    AlertDecision,
    AlertMention,
    CrawlRun,
    Delivery,
    Mention,
    PostEngagement,
    PostRow,
    PostSearch,
    Source,
)
from core.postgres.cluster import running
from tests.slow.demo_texts import WITHDRAWN, random_name, random_texts
from tests.slow.running import Up, get_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(700)]

#: How long the story may take on a machine that does other things beside.
TOLD_SECONDS = 480


def test_a_random_demo_leaves_no_stamp_out_and_no_stage_skipped(tmp_path: Path) -> None:
    seed = int(os.environ.get("GOODNAME_SEED", time.time_ns() % 1_000_000))
    draw = random.Random(seed)
    brand, rival = random_name(draw), random_name(draw)
    texts = tmp_path / "texts.json"
    told = random_texts(draw)
    said = next(str(one["text"]) for one in told if one.get("role") == "incident")
    texts.write_text(json.dumps(told), encoding="utf-8")
    options = ["--demo", f"--seed={seed}", f"--brand={brand}", f"--rival={rival}"]
    with Up(tmp_path / "data", [*options, f"--texts={texts}"]) as up:
        up.wait_ready(seconds=180)
        took = _first_critical(up, said.replace("{brand}", brand))
        print(f"seed {seed}, brand {brand}: first critical alert after {took:.1f} s")  # noqa: T201
        _check_withdrawn(up)
        _check_blind_and_healed(up)
        _check_case(up)
        world = get_json(f"{up.world_url}/world.json")
        time.sleep(10)
        inbox = get_json(f"{up.world_url}/inbox.json")
        with running(tmp_path / "data" / "demo") as server:
            engine = owner_engine(server.url, pool_size=1)
            try:
                with Session(engine) as session:
                    _check_posts(session, _listed(world), f"{up.world_url}/ledger.json")
                    _check_stamps(session)
                    _check_deliveries(session, _listed(inbox))
                    _check_stages(session)
            finally:
                engine.dispose()


def _first_critical(up: Up, said: str) -> float:
    """Seconds from the start to the alert; from the post to the alert it must be half a minute."""

    def is_told(alert: dict[str, Any]) -> bool:
        return said in (alert["worst_mention"] or {}).get("text", "")

    found = _awaited(up, "/v1/alerts?severity=critical", is_told, what="a critical alert")
    took = time.monotonic() - up.began
    world = _listed(get_json(f"{up.world_url}/world.json"))
    first = min(one["published_at"] for one in world if said in one["text"])
    passed = datetime.fromisoformat(found["triggered_at"]) - datetime.fromisoformat(first)
    assert passed < timedelta(seconds=30), f"alerted {passed} after the post"
    return took


def _check_withdrawn(up: Up) -> None:
    """A post is withdrawn while its alert is open: its readers hear so, and what it said stays."""
    found = _awaited(up, "/v1/alerts?limit=200", _withdrawn, what="a deletion on an open alert")
    mention = found["worst_mention"]
    assert (found["state"], mention["gone_reason"]) == ("triggered", "deleted")
    letters = _awaited_letters(up, "mention.deleted")
    assert found["id"] in {letter["data"]["alert"]["id"] for letter in letters}
    (answer,) = up.get(f"/v1/mentions/{mention['id']}/evidence")["items"]
    assert answer["expires_at"] is None, "the evidence of a severe post is kept for good"
    request = urllib.request.Request(
        f"http://127.0.0.1:{up.port}{answer['download']}",
        headers={"Authorization": f"Bearer {up.key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as page:  # noqa: S310
        assert WITHDRAWN in page.read().decode()
    print(f"told {_seconds(up)} after the start that a post is gone")  # noqa: T201


def _withdrawn(alert: dict[str, Any]) -> bool:
    mention = alert["worst_mention"] or {}
    return WITHDRAWN in mention.get("text", "") and mention["deleted_at"] is not None


def _check_blind_and_healed(up: Up) -> None:
    """A site shuts itself: the hour says why it is not whole, people are told, and it heals."""
    _awaited(up, "/v1/operations-alerts", lambda one: one["source"] == "demo-reviews", what="alert")
    hours = up.get("/v1/coverage?source=demo-reviews")["sources"][0]["periods"]
    assert any("challenge" in (hour["reason"] or "") for hour in hours)
    _awaited(up, "/v1/operations-alerts", lambda one: one["resolved_at"], what="its end")
    for event in ("operations.source_not_heard", "operations.source_heard_again"):
        (letter,) = _awaited_letters(up, event)
        assert letter["data"]["source"]["slug"] == "demo-reviews"
    hours = up.get("/v1/coverage?source=demo-reviews")["sources"][0]["periods"]
    assert not any("challenge" in (hour["reason"] or "") for hour in hours)
    print(f"healed {_seconds(up)} after the start")  # noqa: T201


def _check_case(up: Up) -> None:
    """A case is resolved with the customer's own words, and then taken down."""

    def is_missing(mention: dict[str, Any]) -> bool:
        return bool(mention["missing_since"])

    found = _awaited(up, "/v1/mentions?source=demo-bureau", is_missing, what="a missing case")
    whole = up.get(f"/v1/mentions/{found['id']}")
    assert whole["extra"]["case"]["status"] == "resolved"
    assert whole["extra"]["reply"]["text"]
    assert "settled" in whole["text"]
    assert [old["version"] for old in whole["versions"]] == [1]


def _awaited(
    up: Up, path: str, is_wanted: Callable[[dict[str, Any]], object], *, what: str
) -> dict[str, Any]:
    while True:
        found = [one for one in up.get(path)["items"] if is_wanted(one)]
        if found:
            return dict(found[0])
        assert time.monotonic() < up.began + TOLD_SECONDS, f"no {what}\n{up.output[-5000:]}"
        time.sleep(1)


def _awaited_letters(up: Up, event: str) -> list[dict[str, Any]]:
    """What the firm's inbox got of one kind."""
    while True:
        letters = [one["content"] for one in _listed(get_json(f"{up.world_url}/inbox.json"))]
        found = [one for one in letters if one["type"] == event]
        if found:
            return found
        assert time.monotonic() < up.began + TOLD_SECONDS, f"no letter {event}"
        time.sleep(1)


def _seconds(up: Up) -> str:
    return f"{time.monotonic() - up.began:.0f} s"


def _check_posts(session: Session, world: list[dict[str, Any]], ledger_url: str) -> None:
    """Each post that was shown for a while is kept, and each kept one was served over HTTP."""
    sources = {row.id: row for row in session.scalars(select(Source))}
    kept = session.scalars(select(PostRow)).all()
    ledger = _listed(get_json(ledger_url))  # after the rows: whatever is kept was served before
    served = {
        (line["path"].split("?")[0], external_id)
        for line in ledger
        if line["status"] == 200 and "Goodname" in line["user_agent"]
        for external_id in line["posts"]
    }
    for post in kept:
        params = sources[post.source_id].params
        path = urlsplit(params["url"]).path if "url" in params else ""
        assert any(
            external_id in post.external_id and (not path or line_path == path)
            for line_path, external_id in served
        ), f"{post.external_id} came in other than over HTTP"
    ids = " ".join(post.external_id for post in kept)
    old = [one for one in world if one["state"] != "deleted"]
    missing = [one["external_id"] for one in old if one["external_id"] not in ids]
    # Posts of the last seconds may still be on their way.
    assert len(missing) <= 3, missing
    assert any(post.version > 1 for post in kept), "the edited post gave no version"


def _check_stamps(session: Session) -> None:
    for post in session.scalars(select(PostRow)):
        assert post.seen_at, post.external_id
        assert post.sort_at, post.external_id
        assert post.crawl_run_id, post.external_id
        assert post.judged_version == post.version, post.external_id
        assert post.judged_at, post.external_id
        assert post.judged_at >= post.seen_at
        assert session.get(PostSearch, post.id), post.external_id
    for mention in session.scalars(select(Mention)):
        assert mention.judge
        assert mention.judged_at >= mention.seen_at
    alerts = session.scalars(select(Alert).where(Alert.is_grouped.is_(False))).all()
    assert alerts
    for alert in alerts:
        assert alert.delivered_at, alert.dedup_key
        assert alert.delivered_at >= alert.triggered_at
        linked = session.scalars(
            select(Mention)
            .join(AlertMention, AlertMention.mention_id == Mention.id)
            .where(AlertMention.alert_id == alert.id)
        ).all()
        assert linked
        for mention in linked:
            assert mention.alerted_at, mention.id
            assert mention.delivered_at, mention.id
            assert mention.seen_at <= mention.judged_at <= mention.delivered_at


def _check_deliveries(session: Session, inbox: list[dict[str, Any]]) -> None:
    sent = {str(key) for key in session.scalars(select(Delivery.idempotency_key))}
    assert inbox
    assert all(letter["is_signed"] for letter in inbox)
    assert {letter["id"].removeprefix("msg_") for letter in inbox} <= sent
    pending = session.scalars(select(Delivery).where(Delivery.state == "pending")).all()
    assert all(row.attempts == 0 for row in pending), "a delivery failed"


def _check_stages(session: Session) -> None:
    """The queue's own book shows the jobs, and each decision has its reason."""
    runs = session.scalars(select(CrawlRun)).all()
    assert {run.source_id for run in runs} == set(session.scalars(select(Source.id)))
    shut = session.scalars(select(Source.id).where(Source.slug == "demo-reviews")).one()
    bad = [run for run in runs if run.outcome not in ("ok", "empty", "running")]
    assert {(run.source_id, run.outcome) for run in bad} == {(shut, "blocked")}, [
        (run.outcome, run.reason) for run in bad
    ]
    reasons = session.scalars(select(AlertDecision.reason)).all()
    assert len(set(reasons)) >= 2
    mentions = session.scalars(select(Mention.id)).all()
    decided = set(session.scalars(select(AlertDecision.mention_id)))
    watched = session.scalar(text("SELECT brand_id FROM alert_rule WHERE brand_id IS NOT NULL"))
    about = session.scalars(select(Mention.id).where(Mention.brand_id == watched)).all()
    assert set(about) <= decided
    assert len(mentions) >= len(about)
    assert session.scalars(select(PostEngagement.post_id)).first() is not None


def _listed(answer: Any) -> list[dict[str, Any]]:
    """The list in an answer, bare or under its one key."""
    if isinstance(answer, list):
        return answer
    return next(value for value in answer.values() if isinstance(value, list))
