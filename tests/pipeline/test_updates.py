"""Whoever was told of an alert hears what became of its mentions: once, until it is resolved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from core.models import Alert, Receiver
from core.types import AlertState
from pipeline.assess import judge_posts
from pipeline.deliver import deliver_due
from pipeline.ingest import keep
from pipeline.presence_rows import remove
from tests.factories import make_post
from tests.pipeline.conftest import Outbox, build_outbox
from tests.pipeline.judges import WordJudge
from tests.pipeline.receivers import Scripted


def told(hook: Scripted) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in hook.got]


def send(outbox: Outbox) -> int:
    outbox.clock.forward(seconds=1)
    return deliver_due(outbox.room())


def gone(outbox: Outbox, *names: str) -> None:
    """The site says that posts are no more."""
    outbox.clock.forward(minutes=5)
    with Session(outbox.engine) as session:
        remove(session, names, source_id=outbox.source_id, now=outbox.clock())
        session.commit()


def again(outbox: Outbox, *names: str, **given: Any) -> None:
    """The site shows posts again."""
    outbox.clock.forward(minutes=5)
    posts = [make_post(external_id=name, text="Voltano caught fire", **given) for name in names]
    with Session(outbox.engine) as session:
        keep(session, posts, source_id=outbox.source_id, crawl_run_id=None, now=outbox.clock())
        session.commit()


def change_alerts(outbox: Outbox, **values: Any) -> None:
    with Session(outbox.engine) as session:
        session.execute(update(Alert).values(**values))
        session.commit()


def sequences(outbox: Outbox) -> Sequence[tuple[int, str, str]]:
    return [(one.sequence, one.event, one.state) for one in outbox.deliveries()]


def test_a_deletion_is_told_once_to_whoever_was_told_of_it(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x", url="https://board.example/x")
    send(outbox)
    gone(outbox, "x")
    at = outbox.clock()
    assert send(outbox) == 1
    gone(outbox, "x")
    assert send(outbox) == 0
    alert, deleted = told(hook)
    assert (alert["type"], deleted["type"]) == ("alert.triggered", "mention.deleted")
    assert alert["data"]["mentions"][0]["deleted_at"] is None
    (mention,) = deleted["data"]["mentions"]
    assert (mention["url"], mention["gone_reason"]) == ("https://board.example/x", "deleted")
    assert mention["excerpt"] == "Voltano caught fire"
    assert deleted["timestamp"] == mention["deleted_at"] == at.isoformat()
    assert deleted["data"]["alert"]["id"] == alert["data"]["alert"]["id"]
    first, second = outbox.deliveries()
    assert hook.got[1].headers["webhook-id"] == str(second.idempotency_key)
    assert second.idempotency_key != first.idempotency_key


def test_coming_back_is_told_and_so_is_going_again(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    send(outbox)
    for change in (gone, again, gone):
        change(outbox, "x")
        assert send(outbox) == 1
    assert [one["type"] for one in told(hook)[1:]] == [
        "mention.deleted",
        "mention.restored",
        "mention.deleted",
    ]
    assert [sequence for sequence, _, _ in sequences(outbox)] == [0, 1, 2, 3]
    assert told(hook)[2]["data"]["mentions"][0]["deleted_at"] is None


def test_a_resolved_case_that_disappears_is_told_as_a_success(
    outbox: Outbox, hook: Scripted
) -> None:
    outbox.complain(external_id="x", extra={"case": {"status": "resolved"}})
    send(outbox)
    gone(outbox, "x")
    send(outbox)
    (_, removed) = told(hook)
    assert removed["type"] == "mention.removed_after_resolution"
    assert removed["data"]["mentions"][0]["gone_reason"] == "removed_after_resolution"


def test_a_deletion_that_a_crawl_lists_is_told_too(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    send(outbox)
    again(outbox, "x", is_deleted=True)
    assert send(outbox) == 1
    assert told(hook)[1]["type"] == "mention.deleted"


def test_nobody_hears_of_a_resolved_alert(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    send(outbox)
    change_alerts(outbox, state=AlertState.RESOLVED)
    gone(outbox, "x")
    assert send(outbox) == 0
    assert len(hook.got) == 1


def test_an_acknowledged_alert_is_still_open(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    send(outbox)
    change_alerts(outbox, state=AlertState.ACKNOWLEDGED)
    gone(outbox, "x")
    assert send(outbox) == 1
    assert told(hook)[1]["data"]["alert"]["state"] == "acknowledged"


def test_who_was_not_told_yet_learns_it_with_the_alert_itself(
    outbox: Outbox, hook: Scripted
) -> None:
    outbox.complain(external_id="x")
    gone(outbox, "x")
    assert send(outbox) == 1
    assert send(outbox) == 0
    (alert,) = told(hook)
    assert alert["type"] == "alert.triggered"
    assert alert["data"]["mentions"][0]["gone_reason"] == "deleted"


def test_who_could_not_be_told_of_the_alert_hears_no_update(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    hook.script = [(410, {})]
    assert send(outbox) == 0
    gone(outbox, "x")
    with Session(outbox.engine) as session:
        session.execute(update(Receiver).values(is_active=True))
        session.commit()
    assert sequences(outbox) == [(0, "alert.triggered", "dead")]


def test_many_deletions_at_once_are_one_update_with_only_those(
    outbox: Outbox, hook: Scripted
) -> None:
    said = {"text": "Voltano is broken", "published_at": outbox.clock()}
    outbox.hear(*[make_post(external_id=name, **said) for name in "abcd"])
    outbox.clock.forward(hours=1)
    send(outbox)
    gone(outbox, "a", "b")
    gone(outbox, "c")
    assert send(outbox) == 1
    update_ = told(hook)[1]
    assert update_["data"]["mention_count"] == 3
    assert len(update_["data"]["mentions"]) == 3
    assert {one["gone_reason"] for one in update_["data"]["mentions"]} == {"deleted"}


def test_an_update_changes_no_stamp_of_the_alert(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="x")
    send(outbox)
    stamps = outbox.alerts()[0].delivered_at, outbox.mentions()[0].delivered_at
    gone(outbox, "x")
    send(outbox)
    assert len(hook.got) == 2
    assert (outbox.alerts()[0].delivered_at, outbox.mentions()[0].delivered_at) == stamps


def test_the_log_names_an_update_as_such(outbox: Outbox) -> None:
    quiet = build_outbox(outbox.engine, outbox.clock, {"kind": "log"})
    quiet.complain(external_id="x")
    send(quiet)
    gone(quiet, "x")
    with capture_logs() as lines:
        send(quiet)
    (line,) = [one for one in lines if one["event"] == "alert_update"]
    assert line["what"] == "mention.deleted"


def test_an_edit_for_the_worse_alerts_again(outbox: Outbox, hook: Scripted) -> None:
    outbox.hear(make_post(external_id="x", text="Voltano is lovely"))
    assert send(outbox) == 0
    outbox.clock.forward(hours=1)
    worse = make_post(external_id="x", text="Voltano caught fire")
    with Session(outbox.engine) as session:
        kept = keep(
            session, [worse], source_id=outbox.source_id, crawl_run_id=None, now=outbox.clock()
        )
        judge_posts(session, kept.changed_ids, judge=WordJudge(), now=outbox.clock())
        session.commit()
    assert send(outbox) == 1
    (alert,) = told(hook)
    assert (alert["type"], alert["data"]["mentions"][0]["version"]) == ("alert.triggered", 2)
