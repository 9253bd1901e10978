"""A rule's decision, with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import PublishedQuality, Sentiment, Severity
from pipeline.alerts import Grade, News, Reason, Rule, decide

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEGATIVE, POSITIVE = Sentiment.NEGATIVE, Sentiment.POSITIVE


def rule(**given: Any) -> Rule:
    values: dict[str, Any] = {
        "id": 1,
        "workspace_id": 1,
        "brand_id": None,
        "sentiments": frozenset({"negative"}),
        "at_once": 3,
        "grouped": 2,
        "group_wait": timedelta(minutes=15),
        "is_active": True,
    }
    return Rule(**(values | given))


def news(**given: Any) -> News:
    values: dict[str, Any] = {
        "mention_id": 1,
        "workspace_id": 1,
        "brand_id": 1,
        "version": 1,
        "sentiment": NEGATIVE,
        "severity": Severity.HIGH,
        "before": (),
        "is_edit": False,
        "published_at": NOW,
        "published_quality": PublishedQuality.EXACT,
        "seen_at": NOW,
        "judged_at": NOW,
        "is_deleted": False,
    }
    return News(**(values | given))


def before(severity: Severity, sentiment: Sentiment = NEGATIVE) -> tuple[Grade, ...]:
    return (Grade(sentiment=sentiment, severity=severity),)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, Reason.SEVERE_AT_ONCE),
        ({"severity": Severity.CRITICAL}, Reason.SEVERE_AT_ONCE),
        ({"severity": Severity.MEDIUM}, Reason.GROUPED_NEW),
        ({"severity": Severity.LOW}, Reason.TOO_MILD),
        ({"sentiment": POSITIVE}, Reason.OTHER_SENTIMENT),
        ({"is_deleted": True}, Reason.DELETED),
        ({"published_at": NOW - timedelta(days=31)}, Reason.PAST),
        ({"published_at": None, "seen_at": NOW - timedelta(days=31)}, Reason.PAST),
        ({"published_at": None, "seen_at": NOW - timedelta(days=29)}, Reason.SEVERE_AT_ONCE),
        ({"published_at": NOW - timedelta(days=29)}, Reason.SEVERE_AT_ONCE),
        ({"published_at": None}, Reason.SEVERE_AT_ONCE),
        ({"version": 2, "before": before(Severity.HIGH)}, Reason.NOT_WORSE),
        ({"version": 2, "before": before(Severity.CRITICAL)}, Reason.NOT_WORSE),
        ({"version": 2, "before": before(Severity.MEDIUM)}, Reason.SEVERE_AT_ONCE),
        ({"version": 2, "before": before(Severity.CRITICAL, POSITIVE)}, Reason.SEVERE_AT_ONCE),
        (
            {
                "version": 2,
                "before": before(Severity.LOW),
                "published_at": NOW - timedelta(days=400),
            },
            Reason.SEVERE_AT_ONCE,
        ),
        ({"before": before(Severity.HIGH) + before(Severity.LOW)}, Reason.NOT_WORSE),
        ({"before": before(Severity.LOW) * 2}, Reason.SEVERE_AT_ONCE),
        (
            {
                "severity": Severity.MEDIUM,
                "before": before(Severity.MEDIUM) + before(Severity.HIGH, POSITIVE),
            },
            Reason.NOT_WORSE,
        ),
        ({"is_edit": True, "published_at": NOW - timedelta(days=400)}, Reason.SEVERE_AT_ONCE),
        ({"version": 2, "published_at": NOW - timedelta(days=400)}, Reason.PAST),
        ({"is_edit": True, "seen_at": NOW - timedelta(days=31)}, Reason.PAST),
    ],
)
def test_a_rule_says_why(given: dict[str, Any], reason: Reason) -> None:
    assert decide(rule(), news(**given), decided=set(), has_group=False) is reason


@pytest.mark.parametrize(
    ("quality", "begin_of_month", "reason"),
    [
        (PublishedQuality.MONTH, datetime(2026, 1, 1, tzinfo=UTC), Reason.SEVERE_AT_ONCE),
        (PublishedQuality.MONTH, datetime(2025, 12, 1, tzinfo=UTC), Reason.PAST),
        (PublishedQuality.MONTH, datetime(2026, 3, 1, tzinfo=UTC), Reason.SEVERE_AT_ONCE),
        (PublishedQuality.DAY, datetime(2026, 1, 1, tzinfo=UTC), Reason.PAST),
    ],
)
def test_of_a_month_the_end_counts(
    quality: PublishedQuality, begin_of_month: datetime, reason: Reason
) -> None:
    one = news(published_at=begin_of_month, published_quality=quality)
    assert decide(rule(), one, decided=set(), has_group=False) is reason


def test_an_inactive_rule_says_so() -> None:
    decided = decide(rule(is_active=False), news(), decided=set(), has_group=False)
    assert decided is Reason.RULE_INACTIVE


def test_a_version_is_decided_once() -> None:
    assert decide(rule(), news(), decided={1}, has_group=False) is Reason.KNOWN_VERSION


def test_a_mild_one_joins_an_open_group() -> None:
    mild = news(severity=Severity.MEDIUM)
    assert decide(rule(), mild, decided=set(), has_group=True) is Reason.GROUPED_JOINED


@given(
    severity=st.sampled_from(Severity),
    sentiment=st.sampled_from(Sentiment),
    has_group=st.booleans(),
    at_once=st.integers(0, 4),
    grouped=st.integers(0, 4),
)
def test_what_is_severe_never_waits(
    severity: Severity, sentiment: Sentiment, has_group: bool, at_once: int, grouped: int
) -> None:
    decided = decide(
        rule(at_once=at_once, grouped=grouped),
        news(severity=severity, sentiment=sentiment),
        decided=set(),
        has_group=has_group,
    )
    if sentiment is NEGATIVE and severity >= at_once:
        assert decided is Reason.SEVERE_AT_ONCE
    elif sentiment is not NEGATIVE or severity < grouped:
        assert not decided.is_alert
    else:
        assert decided in (Reason.GROUPED_NEW, Reason.GROUPED_JOINED)
