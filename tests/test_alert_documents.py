"""The documented webhook is the one that is sent."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from core.types import DeliveryEvent, Severity
from pipeline.alerts import Reason
from pipeline.channels.webhook import payload
from pipeline.message import Message, ToldMention
from pipeline.operations_message import OperationsMessage

DOCUMENT = (Path(__file__).parents[1] / "docs" / "alerts.md").read_text(encoding="utf-8")
AT = datetime(2026, 3, 2, 11, 58, 31, tzinfo=UTC)


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value[:1]]
    return None


def test_the_documented_body_has_the_keys_that_are_sent() -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, flags=re.S)[0])
    mention = ToldMention(
        id="men_x", url="https://x.example", source="x", source_kind="feed", title=None,
        excerpt="x", author=None, language="en", sentiment="negative",
        severity=Severity.CRITICAL, categories=("safety",), reasons=("safety",),
        matched=("Acme",), version=1, published_at=AT, seen_at=AT, judged_at=AT,
    )  # fmt: skip
    message = Message(
        alert_id="alt_x", workspace="default", brand_id="brd_x", brand="Acme", brand_slug="acme",
        rule="negative", state="triggered", severity=Severity.CRITICAL, is_grouped=False,
        triggered_at=AT, link="https://x.example", mentions=(mention,), mention_count=1,
    )  # fmt: skip
    assert _shape(shown) == _shape(payload(message))


def test_the_documented_body_about_a_source_has_the_keys_that_are_sent() -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, flags=re.S)[-1])
    message = OperationsMessage(
        alert_id="opa_x", event=DeliveryEvent.SOURCE_NOT_HEARD, source_id="src_x", source="x",
        source_kind="feed", outcome="blocked", reason="x", runs=1, opened_at=AT, seen_at=AT,
        resolved_at=None, link="https://x.example",
    )  # fmt: skip
    sent = payload(message)
    assert (_shape(shown), shown["type"]) == (_shape(sent), sent["type"])


def test_every_reason_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", DOCUMENT))
    assert {reason.value for reason in Reason} - {"known_version"} <= documented
