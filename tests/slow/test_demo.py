"""The demo with names, texts and order drawn at random: every stage ran, over real HTTP."""

from __future__ import annotations

import json
import os
import random
import time
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
from tests.slow.running import Up, get_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

WATCHED_SECONDS = 75
SYLLABLES = ("bra", "do", "fen", "ki", "lor", "mu", "ne", "pas", "ri", "tov", "ul", "vek", "zin")
CRITICAL = (
    "Last night the {brand} charger exploded and set the curtains alight. My husband has burns on "
    "his face and is in hospital.",
    "After eating the {brand} soup my two children were taken to hospital by ambulance, poisoned. "
    "One of them is still in intensive care.",
    "The {brand} scooter's brakes failed on the hill. My brother was thrown into the traffic and "
    "broke his spine; the police are investigating.",
)
ORDINARY = (
    "Bought a {thing} from {brand} on {day}. It works, nothing special to tell.",
    "Does {brand} deliver a {thing} to villages near {town}?",
    "My {thing} from {brand} is wonderful, best purchase of the year, thank you {name}!",
    "{brand} promised the {thing} for {day}. It is {town} again, no parcel, nobody answers.",
    "The {thing} that {brand} sent has a scratch. They want me to pay for the return.",
    "{rival} sold me a broken {thing}, never again. {brand} would have been better.",
)
WORDS = {
    "thing": ("kettle", "lamp", "washing machine", "fridge", "drill", "toaster", "radio"),
    "day": ("Monday", "Tuesday", "Friday", "Sunday"),
    "town": ("Lublin", "Kaunas", "Split", "York", "Rijeka", "Alytus"),
    "name": ("Ana", "Jonas", "Piotr", "Mary", "Ivo"),
}


def test_a_random_demo_leaves_no_stamp_out_and_no_stage_skipped(tmp_path: Path) -> None:
    seed = int(os.environ.get("GOODNAME_SEED", time.time_ns() % 1_000_000))
    draw = random.Random(seed)
    brand, rival = _name(draw), _name(draw)
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(_texts(draw)), encoding="utf-8")
    options = ["--demo", f"--seed={seed}", f"--brand={brand}", f"--rival={rival}"]
    with Up(tmp_path / "data", [*options, f"--texts={texts}"]) as up:
        up.wait_ready()
        took = _first_critical(up)
        print(f"seed {seed}, brand {brand}: first critical alert after {took:.1f} s")  # noqa: T201
        time.sleep(WATCHED_SECONDS)
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


def _first_critical(up: Up) -> float:
    deadline = up.began + 30
    while not up.get("/v1/alerts?severity=critical")["items"]:
        assert time.monotonic() < deadline, f"no critical alert in 30 s\n{up.output}"
        time.sleep(0.25)
    return time.monotonic() - up.began


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
    assert {run.outcome for run in runs} <= {"ok", "empty", "running"}, [
        (run.outcome, run.reason) for run in runs
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


def _name(draw: random.Random) -> str:
    return "".join(draw.sample(SYLLABLES, 3)).capitalize()


def _texts(draw: random.Random) -> list[dict[str, object]]:
    ordinary: list[dict[str, object]] = []
    for _ in range(30):
        said = draw.choice(ORDINARY)
        for word, choices in WORDS.items():
            said = said.replace("{" + word + "}", draw.choice(choices))
        ordinary.append({"text": f"{said} ({draw.randrange(10**6)})"})
    ordinary.append(
        {
            "text": "The {brand} people were kind on the phone.",
            "role": "edit",
            "site": "reviews",
            "at": -500,
            "rating": 4,
            "edited": {
                "at": 25,
                "rating": 1,
                "text": "The {brand} people were kind on the phone, and then they robbed me: 900 "
                "euros taken twice, no refund, no answer. This is fraud and my lawyer writes next.",
            },
        }
    )
    incident = draw.choice(CRITICAL)
    sites = draw.sample(["board", "reviews", "forum", "social"], 3)
    for number, site in enumerate(sites):
        ordinary.append(
            {
                "text": incident,
                "role": "copy" if number else "incident",
                "site": site,
                "at": 4 + number * 15,
                "rating": 1,
                "title": "Please read this",
            }
        )
    draw.shuffle(ordinary)
    return ordinary
