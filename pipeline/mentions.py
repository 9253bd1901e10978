"""Mentions: one row for each post and brand; a later version's judgement replaces the earlier."""

from __future__ import annotations

from collections.abc import Sequence
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
from pipeline.judgements import GRADE, grade_values, keep_replaced, live_grades
from pipeline.match import Match, Watched
from pipeline.unjudged import Unjudged
from sentiment.judge import Judgement

_MENTION: Any = Mention.__table__
#: What a judgement of a later version replaces; stamps of alerting and corrections stay.
_REPLACED = (
    "post_version",
    *GRADE,
    "matched",
    "judge",
    "sort_at",
    "seen_at",
    "judged_at",
    "rejudged_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A post about a brand, with what the judge said of it."""

    post: Unjudged
    match: Match
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """A mention that is there already, and the grades that its alerts were decided by."""

    id: int
    grades: tuple[Grade, ...]  #: of every version so far, in no order


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
    keep_replaced(session, [one.id for one in before.values()])
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


def _earlier(session: Session, graded: Sequence[Graded]) -> dict[tuple[int, int], _Before]:
    """What the rules decided on so far; the posts are locked, so nobody changes it now.

    Of every version the grade counts that it had when it came: nobody was told of a later one.
    """
    m = _MENTION.c
    rows = session.execute(
        select(m.id, m.post_id, m.brand_id, m.sentiment, m.severity, m.rejudged_at).where(
            tuple_(m.post_id, m.brand_id).in_([_key(one) for one in graded])
        )
    ).all()
    kept = live_grades(session, [row.id for row in rows])
    return {
        (row.post_id, row.brand_id): _Before(id=row.id, grades=_decided_by(row, kept[row.id]))
        for row in rows
    }


def _decided_by(row: Any, kept: tuple[Grade, ...]) -> tuple[Grade, ...]:
    if kept and row.rejudged_at is not None:
        return kept
    return *kept, Grade(sentiment=Sentiment(row.sentiment), severity=Severity(row.severity))


def _columns(one: Graded, *, judge: str, now: datetime) -> dict[str, Any]:
    return grade_values(one.judgement) | {
        "workspace_id": one.match.brand.workspace_id,
        "brand_id": one.match.brand.id,
        "post_id": one.post.id,
        "post_version": one.post.version,
        "matched": [clean(word) for word in one.match.words],
        "judge": judge,
        "sort_at": one.post.sort_at,
        "seen_at": one.post.seen_at,
        "judged_at": now,
        "rejudged_at": None,
    }


def _news(one: Graded, *, mention_id: int, before: _Before | None, now: datetime) -> News:
    return News(
        mention_id=mention_id,
        workspace_id=one.match.brand.workspace_id,
        brand_id=one.match.brand.id,
        version=one.post.version,
        sentiment=one.judgement.sentiment,
        severity=one.judgement.severity,
        before=before.grades if before else (),
        is_edit=one.post.is_edit,
        published_at=one.post.published_at,
        published_quality=one.post.published_quality,
        seen_at=one.post.seen_at,
        judged_at=now,
        is_deleted=one.post.is_deleted,
    )
