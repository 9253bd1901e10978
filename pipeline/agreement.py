"""How often each judge says what people said, on the mentions that people corrected.

People correct mostly what is wrong, so this is no accuracy over all mentions; but it is fair
between two judges that graded the same corrected mentions. A judge is compared on the version of
the post that the person read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from core.models import Mention, MentionJudgement
from core.types import Sentiment, Severity

_MENTION: Any = Mention.__table__
_KEPT: Any = MentionJudgement.__table__

Confusion = dict[str, dict[str, int]]  #: ``confusion[person][judge]``


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """One label, on the mentions where a person gave it."""

    compared: int
    agreed: int
    macro_f1: float | None  #: over the classes that either of them named; None without mentions
    recall: Mapping[str, float]  #: by the person's class; classes that no person named are left out
    confusion: Confusion


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAgreement:
    """One judge against people."""

    judge: str
    first_judged_at: datetime
    last_judged_at: datetime
    sentiment: LabelAgreement
    severity: LabelAgreement

    @property
    def recall_of_critical(self) -> float | None:
        """The share of what people call critical that the judge does; None when there is none."""
        return self.severity.recall.get(Severity.CRITICAL.label)


def agreements(session: Session, *conditions: ColumnElement[bool]) -> list[JudgeAgreement]:
    """Every judge that graded a corrected mention, the latest at work first.

    ``conditions`` on ``mention`` say which mentions count; row-level security limits further.
    """
    said = union_all(_present(conditions), _replaced(conditions)).subquery()
    s = said.c
    rows = session.execute(
        select(
            s.judge,
            s.sentiment,
            s.severity,
            s.corrected_sentiment,
            s.corrected_severity,
            func.count().label("count"),
            func.min(s.at).label("first"),
            func.max(s.at).label("last"),
        ).group_by(s.judge, s.sentiment, s.severity, s.corrected_sentiment, s.corrected_severity)
    ).all()
    of_judge: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        of_judge[row.judge].append(row)
    found = [_agreement(judge, group) for judge, group in of_judge.items()]
    return sorted(found, key=lambda one: (one.last_judged_at, one.judge), reverse=True)


def compare(pairs: Sequence[tuple[str, str, int]], classes: Sequence[str]) -> LabelAgreement:
    """Compare what a person and a judge said; each pair with how often it occurs."""
    confusion: Confusion = {one: dict.fromkeys(classes, 0) for one in classes}
    for person, judge, count in pairs:
        confusion[person][judge] += count
    agreed = sum(confusion[one][one] for one in classes)
    by_person = {one: sum(confusion[one].values()) for one in classes}
    by_judge = {one: sum(row[one] for row in confusion.values()) for one in classes}
    named = [one for one in classes if by_person[one] or by_judge[one]]
    f1 = [2 * confusion[one][one] / (by_person[one] + by_judge[one]) for one in named]
    return LabelAgreement(
        compared=sum(by_person.values()),
        agreed=agreed,
        macro_f1=round(sum(f1) / len(f1), 4) if f1 else None,
        recall={
            one: round(confusion[one][one] / by_person[one], 4) for one in classes if by_person[one]
        },
        confusion=confusion,
    )


def _present(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    m = _MENTION.c
    return select(
        m.judge,
        m.sentiment,
        m.severity,
        m.corrected_sentiment,
        m.corrected_severity,
        func.coalesce(m.rejudged_at, m.judged_at).label("at"),
    ).where(m.corrected_at.is_not(None), m.post_version == m.corrected_version, *conditions)


def _replaced(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    m, k = _MENTION.c, _KEPT.c
    return (
        select(
            k.judge,
            k.sentiment,
            k.severity,
            m.corrected_sentiment,
            m.corrected_severity,
            k.judged_at.label("at"),
        )
        .join(_MENTION, m.id == k.mention_id)
        .where(m.corrected_at.is_not(None), k.post_version == m.corrected_version, *conditions)
        # A judge that came back: what it says now is on the mention, and counts once.
        .where((k.judge != m.judge) | (k.post_version != m.post_version))
    )


def _agreement(judge: str, rows: Sequence[Any]) -> JudgeAgreement:
    sentiments = [
        (row.corrected_sentiment, row.sentiment, row.count)
        for row in rows
        if row.corrected_sentiment is not None
    ]
    severities = [
        (Severity(row.corrected_severity).label, Severity(row.severity).label, row.count)
        for row in rows
        if row.corrected_severity is not None
    ]
    return JudgeAgreement(
        judge=judge,
        first_judged_at=min(row.first for row in rows),
        last_judged_at=max(row.last for row in rows),
        sentiment=compare(sentiments, [one.value for one in Sentiment]),
        severity=compare(severities, [one.label for one in Severity]),
    )
