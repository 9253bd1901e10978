"""Which posts of a source are due to be asked for again, and what a visit leaves behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from core.models import PostRow
from pipeline.revisits import PUT_OFF, next_look, next_visit

_POST: Any = PostRow.__table__
#: Posts that are looked at in one go, whatever the budget.
_MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A post that is due, as far as asking for it needs it."""

    id: int
    external_id: str
    url: str
    extra: Mapping[str, Any]
    is_missing: bool = False  #: lists lacked it before


def plan(session: Session, post_ids: Collection[int], *, now: datetime) -> None:
    """Set the next visit of posts that were just looked at."""
    p = _POST.c
    if not post_ids:
        return
    rows = session.execute(
        select(p.id, p.sort_at, p.next_visit_at).where(p.id.in_(post_ids), p.deleted_at.is_(None))
    )
    wanted = {row.id: (row.next_visit_at, next_visit(row.sort_at, now=now)) for row in rows}
    # Nearly all posts of an archive are too old to be visited ever.
    _set(session, {id_: at for id_, (before, at) in wanted.items() if at != before})


def find_due(session: Session, *, source_id: int, limit: int, now: datetime) -> list[Due]:
    """The posts to ask for, the most wanted first: missing, about a brand, much noticed.

    What a list has shown since it was due needs no visit and gets its next date.
    """
    _skip_seen(session, source_id=source_id, now=now)
    rows = session.execute(_DUE, {"source": source_id, "now": now, "limit": min(limit, _MOST)})
    return [Due(**row) for row in rows.mappings()]


_DUE = text(
    """
    SELECT id, external_id, url, extra, missing_since IS NOT NULL AS is_missing FROM post
    WHERE source_id = :source AND next_visit_at <= :now AND deleted_at IS NULL
    ORDER BY missing_since IS NULL,
             NOT EXISTS (SELECT FROM mention WHERE mention.post_id = post.id),
             (SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each_text(engagement)) DESC,
             next_visit_at, id
    LIMIT :limit
    """
)


def _skip_seen(session: Session, *, source_id: int, now: datetime) -> None:
    p = _POST.c
    seen = session.scalars(
        select(p.id)
        .where(p.source_id == source_id, p.next_visit_at <= now, p.deleted_at.is_(None))
        .where(p.missing_since.is_(None))
        .where(func.greatest(p.seen_at, p.last_seen_at) >= p.next_visit_at)
        .limit(_MOST)
    ).all()
    plan(session, seen, now=now)


def note_visit(session: Session, post_ids: Sequence[int], *, now: datetime) -> None:
    """Count a visit and set the next one, whatever the site said of these posts."""
    p = _POST.c
    rows = session.execute(
        select(p.id, p.sort_at, p.missing_since, p.deleted_at).where(p.id.in_(post_ids))
    ).all()
    session.execute(update(_POST).where(p.id.in_(post_ids)).values(visits=p.visits + 1))
    _set(session, {row.id: _after(row, now=now) for row in rows})


def put_off(session: Session, post_ids: Sequence[int], *, now: datetime) -> None:
    """The site gave no answer that can be read: leave these alone for a while."""
    _set(session, dict.fromkeys(post_ids, now + PUT_OFF))


def give_up(session: Session, post_ids: Sequence[int]) -> None:
    """The site has no way to be asked for these; a list that lacks them must do."""
    _set(session, dict.fromkeys(post_ids))


def _after(row: Any, *, now: datetime) -> datetime | None:
    if row.deleted_at is not None:
        return None
    if row.missing_since is not None:
        return next_look(row.missing_since, now=now)
    return next_visit(row.sort_at, now=now)


def _set(session: Session, visits: Mapping[int, datetime | None]) -> None:
    if visits:
        rows = [{"post": id_, "at": visits[id_]} for id_ in sorted(visits)]
        session.connection().execute(_NEXT, rows)


_NEXT = (
    update(_POST)
    .where(_POST.c.id == bindparam("post"))
    .values(next_visit_at=bindparam("at", type_=DateTime(timezone=True)))
)
