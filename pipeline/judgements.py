"""What a judge said of a version of a post: as columns, and as it is kept once it is replaced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clean import clean
from core.models import Mention, MentionJudgement
from core.types import Sentiment, Severity
from pipeline.alerts import Grade
from pipeline.storable import storable_json
from sentiment.judge import Judgement, Reason

_MENTION: Any = Mention.__table__
_KEPT: Any = MentionJudgement.__table__
#: The columns that a judge alone decides; a mention and a kept judgement share their names.
GRADE = (
    "language",
    "sentiment",
    "sentiment_p",
    "severity",
    "severity_p",
    "categories",
    "reasons",
)


def grade_values(said: Judgement) -> dict[str, Any]:
    """A judgement as the columns of ``GRADE``."""
    return {
        "language": clean(said.language),
        "sentiment": said.sentiment.value,
        "sentiment_p": _shares({label.value: p for label, p in said.sentiment_p.items()}),
        "severity": said.severity.value,
        "severity_p": _shares({level.label: p for level, p in said.severity_p.items()}),
        "categories": [category.value for category in said.categories],
        "reasons": [_reason(reason) for reason in said.reasons],
    }


def keep_replaced(session: Session, mention_ids: Collection[int]) -> None:
    """Keep what the mentions say now, just before it is replaced; twice is once."""
    if not mention_ids:
        return
    m = _MENTION.c
    taken = ("workspace_id", "post_version", "judge", *GRADE)
    said = select(
        m.id,
        *(m[name] for name in taken),
        func.coalesce(m.rejudged_at, m.judged_at),
        m.rejudged_at.is_(None),
    ).where(m.id.in_(mention_ids))
    session.execute(
        insert(_KEPT)
        .from_select(["mention_id", *taken, "judged_at", "is_live"], said)
        .on_conflict_do_nothing()
    )


def live_grades(
    session: Session, mention_ids: Collection[int]
) -> defaultdict[int, tuple[Grade, ...]]:
    """For each mention the grades that its rules decided on, as far as they were replaced."""
    found: defaultdict[int, tuple[Grade, ...]] = defaultdict(tuple)
    if not mention_ids:
        return found
    k = _KEPT.c
    rows = session.execute(
        select(k.mention_id, k.sentiment, k.severity).where(
            k.mention_id.in_(mention_ids), k.is_live
        )
    )
    for id_, sentiment, severity in rows:
        found[id_] += (Grade(sentiment=Sentiment(sentiment), severity=Severity(severity)),)
    return found


def known_grades(
    session: Session, versions: Sequence[tuple[int, int]], *, judge: str
) -> dict[tuple[int, int], dict[str, Any]]:
    """What ``judge`` has said of these versions of posts already, for whatever brand."""
    if not versions:
        return {}
    m, k = _MENTION.c, _KEPT.c
    now = select(m.post_id, m.post_version, *(m[name] for name in GRADE)).where(
        tuple_(m.post_id, m.post_version).in_(versions), m.judge == literal(judge)
    )
    before = (
        select(m.post_id, k.post_version, *(k[name] for name in GRADE))
        .join(_KEPT, k.mention_id == m.id)
        .where(tuple_(m.post_id, k.post_version).in_(versions), k.judge == literal(judge))
    )
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for query in (before, now):
        for row in session.execute(query):
            found[row.post_id, row.post_version] = {name: getattr(row, name) for name in GRADE}
    return found


def _shares(shares: Mapping[str, float]) -> dict[str, float]:
    return {label: round(float(p), 4) for label, p in shares.items()}


def _reason(reason: Reason) -> dict[str, Any]:
    """A reason as JSON; its spans count characters of ``judged_text``."""
    written: dict[str, Any] = storable_json(
        {
            "because": reason.because,
            "category": reason.category.value if reason.category else None,
            "spans": [{"start": span.start, "end": span.end} for span in reason.spans],
            "weight": round(float(reason.weight), 3),
        }
    )
    return written
