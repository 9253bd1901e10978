from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import CrawlRun, DeadLetter, Source, SourceKind
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer
from tests.api.rows import add_post
from tests.factories import NOW, add_source

SCHEMA = {
    "type": "object",
    "properties": {"url": {"type": "string", "pattern": "^https?://"}},
    "required": ["url"],
    "additionalProperties": False,
}
NEW = {
    "slug": "news",
    "kind": "feed",
    "params": {"url": "https://news.example/feed.xml"},
    "interval_seconds": 600,
    "time_zone": "Europe/Warsaw",
}


@pytest.fixture
def key(ours: Customer, session: Session, source: Source) -> str:
    kind = session.get_one(SourceKind, "feed")
    kind.config_schema = SCHEMA
    session.commit()
    return ours.keys[Role.OPS]


def test_a_source_is_made_read_changed_and_forgotten(ask: Ask, key: str, clock: Clock) -> None:
    made = ask("POST", "/v1/sources", key=key, json=NEW)
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert made.json()["next_due_at"] is None
    assert ask("GET", path, key=key).json() == made.json()
    clock.pass_time(minutes=2)
    changed = ask("PATCH", path, key=key, json={"interval_seconds": 120}).json()
    assert changed["interval_seconds"] == 120
    assert changed["updated_at"] == "2026-03-02T12:02:00Z"
    assert ask("DELETE", path, key=key).status_code == 204
    assert ask("GET", path, key=key).status_code == 404


def test_a_change_holds_from_now_on_and_not_after_the_old_due_time(
    ask: Ask, key: str, session: Session
) -> None:
    path = ask("POST", "/v1/sources", key=key, json=NEW).headers["location"]

    def due_after(**change: object) -> str:
        session.execute(
            text("UPDATE source SET next_due_at = :then WHERE slug = 'news'"),
            {"then": NOW + timedelta(hours=2)},
        )
        session.commit()
        return str(ask("PATCH", path, key=key, json=change).json()["next_due_at"])

    assert due_after(interval_seconds=120) == "2026-03-02T12:02:00Z"
    assert due_after(interval_seconds=86_400) == "2026-03-02T14:00:00Z"
    assert due_after(time_zone="UTC") == "2026-03-02T14:00:00Z"
    assert due_after(params={"url": "https://news.example/2.xml"}) == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"kind": "telepathy"}, "unknown-kind", "telepathy"),
        ({"params": {}}, "bad-params", "url"),
        ({"params": {"url": "file:///etc/passwd"}}, "bad-params", "params.url"),
        ({"params": {"url": "https://a.example", "x": 1}}, "bad-params", "x"),
        ({"params": {"url": "https://a.example/\x00"}}, "bad-params", "stored"),
        ({"interval_seconds": 59}, "interval-too-short", "60"),
        ({"interval_seconds": 0}, "invalid", "interval_seconds"),
        ({"interval_seconds": 10**12}, "invalid", "interval_seconds"),
        ({"time_zone": "Mars/Olympus"}, "invalid", "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "invalid", "time_zone"),
        ({"slug": "No Good"}, "invalid", "slug"),
    ],
)
def test_a_source_that_cannot_work_is_refused_with_the_reason(
    ask: Ask, key: str, change: dict[str, object], code: str, where: str
) -> None:
    answer = ask("POST", "/v1/sources", key=key, json=NEW | change)
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:goodname:problem:{code}"
    assert where in answer.json()["detail"]


def test_a_change_is_checked_like_a_new_source(ask: Ask, key: str) -> None:
    path = ask("POST", "/v1/sources", key=key, json=NEW).headers["location"]
    for change in ({"interval_seconds": 59}, {"params": {}}, {"time_zone": None}, {"kind": "x"}):
        assert ask("PATCH", path, key=key, json=change).status_code == 422
    assert ask("GET", path, key=key).json()["interval_seconds"] == 600


def test_run_now_queues_one_crawl_with_the_locks_of_the_schedule(
    ask: Ask, key: str, source: Source, session: Session
) -> None:
    path = f"/v1/sources/{show_id(Prefix.SOURCE, source.id)}/run"
    first, second = ask("POST", path, key=key), ask("POST", path, key=key)
    assert (first.status_code, first.json()["is_queued"]) == (202, True)
    assert (second.status_code, second.json()["is_queued"]) == (200, False)
    jobs = session.execute(
        text("SELECT task_name, lock, queueing_lock, args FROM queue.procrastinate_jobs")
    ).all()
    assert jobs == [
        (
            "crawl_source",
            f"source-{source.id}",
            f"crawl-{source.id}",
            {"source_id": source.id, "trigger": "api"},
        )
    ]


def test_a_source_that_is_off_is_not_run(ask: Ask, key: str, session: Session) -> None:
    off = add_source(session, is_enabled=False)
    session.commit()
    answer = ask("POST", f"/v1/sources/{show_id(Prefix.SOURCE, off.id)}/run", key=key)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:goodname:problem:disabled")


def test_what_the_file_declares_and_what_holds_posts_is_not_deleted_by_accident(
    ask: Ask, key: str, session: Session
) -> None:
    declared, full = add_source(session, managed_by="file"), add_source(session)
    add_post(session, full)
    session.commit()
    path = f"/v1/sources/{show_id(Prefix.SOURCE, declared.id)}"
    assert ask("DELETE", path, key=key).status_code == 409
    assert ask("PATCH", path, key=key, json={"interval_seconds": 900}).status_code == 409
    path = f"/v1/sources/{show_id(Prefix.SOURCE, full.id)}"
    refused = ask("DELETE", path, key=key)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:goodname:problem:has-posts")
    assert ask("DELETE", f"{path}?with_posts=true", key=key).status_code == 204


def test_runs_kinds_and_dead_letters_are_shown(
    ask: Ask, key: str, source: Source, session: Session
) -> None:
    session.add(CrawlRun(source_id=source.id, outcome="blocked", reason="403", started_at=NOW))
    session.add(
        DeadLetter(
            stage="parse",
            source_id=source.id,
            fingerprint=b"1",
            reason="no text",
            detail={"external_id": "7"},
            created_at=NOW,
        )
    )
    session.commit()
    shown = show_id(Prefix.SOURCE, source.id)
    runs = ask("GET", f"/v1/sources/{shown}/runs", key=key).json()["items"]
    assert [(run["outcome"], run["reason"]) for run in runs] == [("blocked", "403")]
    kinds = ask("GET", "/v1/source-kinds", key=key).json()["items"]
    assert [(one["kind"], one["minimum_interval_seconds"]) for one in kinds] == [("feed", 60)]
    for query, count in (("", 1), ("?stage=parse", 1), ("?stage=judge", 0)):
        assert len(ask("GET", f"/v1/dead-letters{query}", key=key).json()["items"]) == count
    only = ask("GET", f"/v1/dead-letters?source_id={shown}", key=key).json()["items"]
    assert only[0]["reason"] == "no text"


def test_the_token_in_an_address_is_for_those_who_may_change_it(
    ask: Ask, key: str, ours: Customer, session: Session
) -> None:
    address = "https://ann:pw-canary@news.example/feed.xml?key=key-canary&page=2"
    made = ask("POST", "/v1/sources", key=key, json=NEW | {"params": {"url": address}}).json()
    row = session.scalars(select(Source).where(Source.slug == NEW["slug"])).one()
    letter = {"stage": "parse", "source_id": row.id, "fingerprint": b"1", "reason": "no text"}
    at = "https://news.example/a?t=canary"
    session.add(DeadLetter(**letter, url=at, detail={}, created_at=NOW))
    session.commit()
    paths = ("/v1/sources", f"/v1/sources/{made['id']}", "/v1/dead-letters")
    for role in Role:
        answers = [ask("GET", path, key=ours.keys[role]) for path in paths]
        told = "".join(answer.text for answer in answers if answer.status_code == 200)
        assert ("canary" in told) == (role in (Role.OPS, Role.ADMIN))
        assert "news.example/feed.xml?key=" in told
        if role is Role.OWNER:
            assert "https://news.example/a?t=***" in told
    assert made["params"]["url"] == address
