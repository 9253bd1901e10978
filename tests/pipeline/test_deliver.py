"""Deliveries arrive at least once, with one key, and are retried or shown as dead."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core.log import with_public_addresses
from core.models import Mention
from pipeline.channels.channel import Sending
from pipeline.deliver import claim, deliver_due
from pipeline.dispatcher import Dispatcher
from pipeline.ingest import keep
from tests.factories import make_post
from tests.pipeline.conftest import SECRET, Clock, Outbox, build_outbox
from tests.pipeline.receivers import Scripted, scripted_receiver


def test_a_webhook_gets_a_signed_alert(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(title="My heater", author="Ana", url="https://board.example/7")
    outbox.clock.forward(seconds=1)
    assert deliver_due(outbox.room()) == 1
    (got,) = hook.got
    told = Webhook(SECRET).verify(got.body, dict(got.headers))
    (delivery,) = outbox.deliveries()
    (alert,) = outbox.alerts()
    (mention,) = outbox.mentions()
    assert got.headers["webhook-id"] == str(delivery.idempotency_key)
    assert told["type"] == "alert.triggered"
    assert told["data"]["alert"]["severity"] == "critical"
    assert told["data"]["brand"]["name"] == "Voltano"
    shown = told["data"]["mentions"][0]
    assert (shown["url"], shown["author"]) == ("https://board.example/7", "Ana")
    assert shown["excerpt"] == "My heater Voltano caught fire"
    assert shown["reasons"] == ['product: "fire"']
    assert told["data"]["alert"]["link"].startswith("http://127.0.0.1:8765/alerts/alt_")
    assert delivery.state == "delivered"
    assert delivery.delivered_at == alert.delivered_at == mention.delivered_at == outbox.clock.at
    assert deliver_due(outbox.room()) == 0


def test_a_message_shows_the_version_that_was_judged(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain(external_id="1", text="Voltano caught fire")
    edited = make_post(external_id="1", title="All is well", text="Voltano is fine now")
    with Session(outbox.engine) as session:
        keep(session, [edited], source_id=outbox.source_id, crawl_run_id=None, now=outbox.clock())
        session.commit()
    assert deliver_due(outbox.room()) == 1
    shown = json.loads(hook.got[0].body)["data"]["mentions"][0]
    assert (shown["version"], shown["title"]) == (1, None)
    assert shown["excerpt"] == "Voltano caught fire"


def test_a_changed_body_or_an_old_one_is_not_verified(outbox: Outbox, hook: Scripted) -> None:
    outbox.clock.forward(minutes=-6)
    outbox.complain()
    deliver_due(outbox.room())
    (got,) = hook.got
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(got.body, dict(got.headers))
    outbox.clock.forward(minutes=6)
    outbox.complain()
    deliver_due(outbox.room())
    with pytest.raises(WebhookVerificationError, match="No matching"):
        Webhook(SECRET).verify(hook.got[1].body + b" ", dict(hook.got[1].headers))


@pytest.mark.parametrize("status", [500, 429, 404, 302, 304, 100 + 300, 503])
def test_any_answer_but_success_is_tried_again_with_the_same_key(
    outbox: Outbox, hook: Scripted, status: int
) -> None:
    hook.script = [(status, {"location": "http://127.0.0.1:1/elsewhere"})]
    outbox.complain()
    assert deliver_due(outbox.room()) == 0
    (failed,) = outbox.deliveries()
    assert (failed.state, failed.attempts, failed.lease_until) == ("pending", 1, None)
    assert str(status) in str(failed.last_error)
    wait = (failed.next_attempt_at - outbox.clock.at).total_seconds()
    assert 4.5 <= wait <= 5.5
    assert deliver_due(outbox.room()) == 0
    outbox.clock.forward(seconds=6)
    assert deliver_due(outbox.room()) == 1
    first, second = hook.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    (done,) = outbox.deliveries()
    assert (done.state, done.attempts, done.last_error) == ("delivered", 2, None)


@pytest.mark.parametrize("is_date", [False, True])
def test_retry_after_is_heeded(outbox: Outbox, hook: Scripted, is_date: bool) -> None:
    outbox.clock.at = outbox.clock.at.replace(microsecond=0)
    asked = format_datetime(outbox.clock.at + timedelta(hours=2), usegmt=True)
    hook.script = [(429, {"retry-after": asked if is_date else "7200"})]
    outbox.complain()
    deliver_due(outbox.room())
    (delivery,) = outbox.deliveries()
    assert delivery.next_attempt_at == outbox.clock.at + timedelta(hours=2)


def test_ten_failures_make_a_delivery_dead_and_visible(outbox: Outbox, hook: Scripted) -> None:
    hook.script = [(500, {})] * 10
    outbox.complain()
    began = outbox.clock.at
    for _ in range(10):
        deliver_due(outbox.room())
        outbox.clock.at = max(outbox.clock.at, outbox.deliveries()[0].next_attempt_at)
    (delivery,) = outbox.deliveries()
    assert (delivery.state, delivery.attempts) == ("dead", 10)
    assert delivery.last_error == "the receiver answered 500"
    assert timedelta(hours=60) < outbox.clock.at - began < timedelta(hours=90)
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    assert outbox.alerts()[0].delivered_at is None


def test_a_receiver_that_is_gone_is_switched_off(outbox: Outbox, hook: Scripted) -> None:
    hook.script = [(500, {}), (410, {})]
    outbox.complain()
    deliver_due(outbox.room())
    outbox.complain()
    deliver_due(outbox.room())
    outbox.clock.forward(minutes=1)
    deliver_due(outbox.room())
    outbox.complain()
    assert [d.state for d in outbox.deliveries()] == ["dead", "dead"]
    assert outbox.receivers()[0].is_active is False
    assert len(hook.got) == 2


def test_a_receiver_switched_off_later_is_not_told(outbox: Outbox, hook: Scripted) -> None:
    outbox.complain()
    with Session(outbox.engine) as session:
        session.get_one(type(outbox.receivers()[0]), outbox.receivers()[0].id).is_active = False
        session.commit()
    deliver_due(outbox.room())
    (delivery,) = outbox.deliveries()
    assert (delivery.state, delivery.last_error) == ("dead", "the receiver is switched off")
    assert hook.got == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://169.254.169.254/latest", "cloud"),
        ("http://127.0.0.1:1/", "loopback"),
        ("ftp://board.example/", ""),
        ("not a url", ""),
        ("http://[::1]/", "loopback"),
        ("http://localhost/", ""),
        ("", ""),
    ],
)
def test_an_internal_or_senseless_address_is_dead_at_once(
    engine: Engine, clock: Clock, address: str, says: str
) -> None:
    outbox = build_outbox(engine, clock, {"kind": "webhook", "address": address})
    outbox.complain()
    assert deliver_due(outbox.room()) == 0
    (delivery,) = outbox.deliveries()
    assert (delivery.state, delivery.attempts) == ("dead", 1)
    assert says in str(delivery.last_error)


def test_a_secret_that_cannot_sign_is_dead_at_once(
    engine: Engine, clock: Clock, hook: Scripted
) -> None:
    webhook = {"kind": "webhook", "address": hook.url, "secret": "whsec_!"}
    outbox = build_outbox(engine, clock, webhook, allowed_addresses=[hook.address])
    outbox.complain()
    deliver_due(outbox.room())
    assert outbox.deliveries()[0].state == "dead"
    assert hook.got == []


def test_a_hanging_receiver_is_given_up_after_the_timeout(outbox: Outbox, hook: Scripted) -> None:
    hook.hang_on, hook.hang_seconds = "/hook", 2.5
    outbox.complain()
    began = time.monotonic()
    deliver_due(outbox.room())
    assert time.monotonic() - began < 2
    (delivery,) = outbox.deliveries()
    assert (delivery.state, "no answer in time" in str(delivery.last_error)) == ("pending", True)


def test_a_hanging_receiver_holds_up_no_other(engine: Engine, clock: Clock) -> None:
    with scripted_receiver() as slow, scripted_receiver() as fast:
        slow.hang_on, slow.hang_seconds = "/", 4.0
        outbox = build_outbox(
            engine,
            clock,
            {"kind": "webhook", "address": slow.url},
            {"kind": "webhook", "address": fast.url},
            allowed_addresses=[slow.address, fast.address],
            timeout_seconds=5,
        )
        for _ in range(25):
            outbox.complain()
        dispatcher = Dispatcher(outbox.room(), threads=12)
        began = time.monotonic()
        dispatcher.look()
        assert len(fast.wait_for(25)) == 25
        assert time.monotonic() - began < 3.5
        assert len(slow.got) <= 8
        assert dispatcher.close(timeout=10)


def test_claims_of_two_dispatchers_never_overlap(outbox: Outbox) -> None:
    for _ in range(40):
        outbox.complain()
    taken: list[int] = []

    def take() -> None:
        for _ in range(8):
            with Session(outbox.engine) as session:
                got = claim(session, now=outbox.clock(), lease=timedelta(minutes=1), limit=3)
                session.commit()
            taken.extend(one.id for one in got)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(taken) == len(set(taken))
    assert len(taken) >= 8  # at most eight to one receiver at a time, about
    assert {d.attempts for d in outbox.deliveries()} == {0, 1}


def test_a_lease_that_ran_out_is_taken_again_with_the_same_key(
    outbox: Outbox, hook: Scripted
) -> None:
    outbox.complain()
    with Session(outbox.engine) as session:
        (lost,) = claim(session, now=outbox.clock(), lease=timedelta(seconds=30), limit=9)
        session.commit()
    assert deliver_due(outbox.room()) == 0
    outbox.clock.forward(seconds=31)
    assert deliver_due(outbox.room()) == 1
    assert hook.got[0].headers["webhook-id"] == str(lost.idempotency_key)
    assert outbox.deliveries()[0].attempts == 2


def test_a_group_is_told_once_and_in_time(outbox: Outbox, hook: Scripted) -> None:
    outbox.hear(make_post(text="Voltano broken", published_at=None))
    outbox.clock.forward(minutes=5)
    outbox.hear(*[make_post(text=f"Voltano broken {n}", published_at=None) for n in range(40)])
    assert deliver_due(outbox.room()) == 0
    outbox.clock.forward(minutes=10)
    assert deliver_due(outbox.room()) == 1
    told = json.loads(hook.got[0].body)["data"]
    assert (told["mention_count"], len(told["mentions"])) == (41, 20)
    assert all(mention.delivered_at for mention in outbox.mentions())


def test_the_log_is_told_without_the_whole_text(engine: Engine, clock: Clock) -> None:
    outbox = build_outbox(engine, clock, {"kind": "log", "address": ""})
    outbox.complain(text="Voltano caught fire. " + "x" * 5_000)
    with structlog.testing.capture_logs() as logs:
        assert deliver_due(outbox.room()) == 1
    (line,) = [one for one in logs if one["event"] == "alert"]
    assert (line["severity"], line["brand"], line["mentions"]) == ("critical", "Voltano", 1)
    assert len(str(line)) < 1_000


def test_the_links_of_a_logged_alert_can_be_followed(engine: Engine, clock: Clock) -> None:
    outbox = build_outbox(engine, clock, {"kind": "log", "address": ""})
    outbox.complain(url="https://board.example/item?id=4711")
    processors = [with_public_addresses]
    with structlog.testing.capture_logs(processors=processors) as logs:
        assert deliver_due(outbox.room()) == 1
    (line,) = [one for one in logs if one["event"] == "alert"]
    assert line["url"] == "https://board.example/item?id=4711"
    assert line["link"].startswith("http://127.0.0.1:8765/alerts/alt_")


def test_a_channel_that_breaks_is_tried_again_and_stops_nobody(outbox: Outbox) -> None:
    from dataclasses import replace

    def broken(sending: Sending) -> None:
        raise KeyError("a bug of ours")

    outbox.complain()
    room = replace(outbox.room(), channels={"webhook": broken})  # type: ignore[dict-item]
    assert deliver_due(room) == 0
    assert outbox.deliveries()[0].last_error == "an error of ours: KeyError"
    outbox.clock.forward(seconds=6)
    assert deliver_due(outbox.room()) == 1


def test_no_secret_shows_in_a_claim(outbox: Outbox) -> None:
    outbox.complain()
    with Session(outbox.engine) as session:
        (one,) = claim(session, now=datetime.now(UTC), lease=timedelta(1), limit=1)
    assert one.secret == SECRET
    assert SECRET not in repr(one)


def test_an_alert_that_cannot_be_written_is_put_off_like_any_failure(
    outbox: Outbox, hook: Scripted
) -> None:
    outbox.complain()
    with Session(outbox.engine) as session:
        session.execute(update(Mention).values(reasons=[{"spans": [{}]}]))
        session.commit()
    assert deliver_due(outbox.room()) == 0
    (failed,) = outbox.deliveries()
    assert (failed.state, failed.attempts, failed.lease_until) == ("pending", 1, None)
    assert failed.last_error == "an error of ours: KeyError"
    assert hook.got == []
