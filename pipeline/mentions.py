"""Mentions: one row for each post and brand; a later version's judgement replaces the earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clean import clean
from core.models import Brand, Mention
from core.types import Sentiment, Severity
from pipeline.alerts import Grade, News
from pipeline.match import Match, Watched
from pipeline.storable import storable_json
from pipeline.unjudged import Unjudged
from sentiment.judge import Judgement, Reason

_MENTION: Any = Mention.__table__
#: What a judgement of a later version replaces; stamps of alerting and corrections stay.
_REPLACED = (
    "post_version",
    "language",
    "sentiment",
    "sentiment_p",
    "severity",
    "severity_p",
    "categories",
    "reasons",
    "matched",
    "judge",
    "sort_at",
    "seen_at",
    "judged_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A post about a brand, with what the judge said of it."""

    post: Unjudged
    match: Match
    judgement: Judgement


def active_brands(session: Session) -> tuple[Watched, ...]:
    """Every watched brand of every workspace, in the order of their ids."""
    rows = session.scalars(select(Brand).where(Brand.is_active).order_by(Brand.id))
    return tuple(watched(row) for row in rows)


def watched(row: Brand) -> Watched:
    """A brand as the matcher needs it."""
    return Watched(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        aliases=tuple(row.aliases),
        query=row.query,
        excluded=tuple(row.excluded),
        domains=tuple(row.domains),
        handles=tuple(row.handles),
    )


def said_before(session: Session, versions: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these versions of posts have a mention already; as pairs of post and brand."""
    if not versions:
        return set()
    m = _MENTION.c
    rows = session.execute(
        select(m.post_id, m.brand_id).where(tuple_(m.post_id, m.post_version).in_(versions))
    )
    return {(post_id, brand_id) for post_id, brand_id in rows}


def save_mentions(
    session: Session, graded: Sequence[Graded], *, judge: str, now: datetime
) -> list[News]:
    """Write one mention for each post and brand, and tell what was said of it before.

    A post whose later version no longer names the brand keeps the mention of the earlier one.
    """
    if not graded:
        return []
    before = _earlier(session, graded)
    statement = insert(_MENTION)
    saved = session.execute(
        statement.on_conflict_do_update(
            index_elements=["post_id", "brand_id"],
            set_={name: statement.excluded[name] for name in _REPLACED},
        ).returning(_MENTION.c.id, _MENTION.c.post_id, _MENTION.c.brand_id),
        [_columns(one, judge=judge, now=now) for one in graded],
    )
    ids = {(post_id, brand_id): id_ for id_, post_id, brand_id in saved}
    return [
        _news(one, mention_id=ids[_key(one)], before=before.get(_key(one)), now=now)
        for one in graded
    ]


def _key(one: Graded) -> tuple[int, int]:
    return one.post.id, one.match.brand.id


def _earlier(session: Session, graded: Sequence[Graded]) -> dict[tuple[int, int], Grade]:
    """What was said of the posts so far; their rows are locked, so nobody changes it now."""
    m = _MENTION.c
    rows = session.execute(
        select(m.post_id, m.brand_id, m.sentiment, m.severity).where(
            tuple_(m.post_id, m.brand_id).in_([_key(one) for one in graded])
        )
    )
    return {
        (post_id, brand_id): Grade(sentiment=Sentiment(sentiment), severity=Severity(severity))
        for post_id, brand_id, sentiment, severity in rows
    }


def _columns(one: Graded, *, judge: str, now: datetime) -> dict[str, Any]:
    said = one.judgement
    return {
        "workspace_id": one.match.brand.workspace_id,
        "brand_id": one.match.brand.id,
        "post_id": one.post.id,
        "post_version": one.post.version,
        "language": clean(said.language),
        "sentiment": said.sentiment.value,
        "sentiment_p": _shares({label.value: p for label, p in said.sentiment_p.items()}),
        "severity": said.severity.value,
        "severity_p": _shares({level.label: p for level, p in said.severity_p.items()}),
        "categories": [category.value for category in said.categories],
        "reasons": [_reason(reason) for reason in said.reasons],
        "matched": [clean(word) for word in one.match.words],
        "judge": judge,
        "sort_at": one.post.sort_at,
        "seen_at": one.post.seen_at,
        "judged_at": now,
    }


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


def _news(one: Graded, *, mention_id: int, before: Grade | None, now: datetime) -> News:
    return News(
        mention_id=mention_id,
        workspace_id=one.match.brand.workspace_id,
        brand_id=one.match.brand.id,
        version=one.post.version,
        sentiment=one.judgement.sentiment,
        severity=one.judgement.severity,
        before=before,
        published_at=one.post.published_at,
        seen_at=one.post.seen_at,
        judged_at=now,
        is_deleted=one.post.is_deleted,
    )
