"""When to speak up: a rule's decision about one mention, with its reason; pure.

An alert is raised at once for what is severe. What is milder is gathered: the first mention opens
a group that is told after the rule's wait, and later ones join it until then. A severe mention
never waits in a group.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.types import PublishedQuality, Sentiment, Severity

#: The first crawl of a source reads its archive, and a brand added later finds posts kept long
#: ago: what is already this old then is a mention for the statistics, and wakes nobody. An edit
#: is news, whatever the age of the post, also one that names the brand for the first time.
OLDEST_ALERTED = timedelta(days=30)


class Reason(StrEnum):
    """Why a rule spoke up, or why not; kept for each mention, rule and version."""

    SEVERE_AT_ONCE = "severe_at_once"
    GROUPED_NEW = "grouped_new"
    GROUPED_JOINED = "grouped_joined"
    RULE_INACTIVE = "rule_inactive"
    DELETED = "deleted"  #: gone before it was judged: nobody can answer it any more
    OTHER_SENTIMENT = "other_sentiment"  #: the rule does not watch for it, e.g. not negative
    TOO_MILD = "too_mild"
    PAST = "past"
    NOT_WORSE = "not_worse"  #: an edit of a post that was at least as bad in some version before
    KNOWN_VERSION = "known_version"  #: decided before; only said, never stored twice

    @property
    def is_alert(self) -> bool:
        """Whether somebody is told."""
        return self in (Reason.SEVERE_AT_ONCE, Reason.GROUPED_NEW, Reason.GROUPED_JOINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as far as it decides."""

    id: int
    workspace_id: int
    brand_id: int | None  #: None: every brand of the workspace
    sentiments: frozenset[str]
    at_once: int
    grouped: int
    group_wait: timedelta
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What was said of an earlier version."""

    sentiment: Sentiment
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A mention just judged."""

    mention_id: int
    workspace_id: int
    brand_id: int
    version: int
    sentiment: Sentiment
    severity: Severity
    before: tuple[Grade, ...]  #: of the versions judged before; empty at first sight
    is_edit: bool  #: an earlier version was judged, whether it named the brand or not
    published_at: datetime | None
    published_quality: PublishedQuality
    seen_at: datetime  #: of this version
    judged_at: datetime
    is_deleted: bool


def decide(rule: Rule, news: News, *, decided: Collection[int], has_group: bool) -> Reason:
    """Say whether ``rule`` speaks up about ``news``.

    ``decided`` holds the versions that the rule has decided on; ``has_group`` says whether a
    group of this rule and brand can still be joined.
    """
    if news.version in decided:
        return Reason.KNOWN_VERSION
    if (silent := _why_silent(rule, news)) is not None:
        return silent
    if news.severity >= rule.at_once:
        return Reason.SEVERE_AT_ONCE
    return Reason.GROUPED_JOINED if has_group else Reason.GROUPED_NEW


def _why_silent(rule: Rule, news: News) -> Reason | None:
    if not rule.is_active:
        return Reason.RULE_INACTIVE
    if news.is_deleted:
        return Reason.DELETED
    if news.sentiment.value not in rule.sentiments:
        return Reason.OTHER_SENTIMENT
    if news.severity < min(rule.at_once, rule.grouped):
        return Reason.TOO_MILD
    if not news.before:
        return Reason.PAST if _is_past(news) else None
    was_as_bad = any(
        one.sentiment.value in rule.sentiments and one.severity >= news.severity
        for one in news.before
    )
    return Reason.NOT_WORSE if was_as_bad else None


def _is_past(news: News) -> bool:
    return news.judged_at - _said_at(news) > OLDEST_ALERTED


def _said_at(news: News) -> datetime:
    """The latest time at which it can have been said."""
    if news.is_edit or news.published_at is None:
        return news.seen_at
    if news.published_quality is PublishedQuality.MONTH:
        return _end_of_month(news.published_at)
    return news.published_at


def _end_of_month(at: datetime) -> datetime:
    begin = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (begin + timedelta(days=31)).replace(day=1)
