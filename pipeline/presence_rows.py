"""Posts that are no longer where they were: found absent by a whole walk, or named by the site."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.models import PostRow
from pipeline.post_rows import write_gone
from pipeline.presence import Absent, Walk, of_absent
from pipeline.updates import tell_gone

log = structlog.get_logger()

_POST: Any = PostRow.__table__
#: A statement that locks more rows than this would hold up whoever judges them.
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a whole walk said of the posts that it did not meet."""

    missing: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()  #: missing since an earlier walk
    gone: tuple[int, ...] = ()


def reconcile(
    session: Session, walk: Walk, *, source_id: int, can_ask: bool, now: datetime
) -> Reconciled:
    """Mark what a whole walk over a list without gaps should have met and did not.

    ``can_ask`` says that the site can be asked for single posts, which are then due at once. One
    that is missing and not to be visited is a post for which it has turned out that it cannot.
    """
    absent = _absent(session, walk, source_id=source_id)
    verdict = of_absent(absent, walk=walk, now=now)
    if not verdict.is_believed:
        log.warning("absence_not_believed", source_id=source_id, absent=len(absent), seen=walk.seen)
        return Reconciled()
    due = {"next_visit_at": now} if can_ask else {}
    if verdict.missing:
        new = update(_POST).where(_POST.c.id.in_(verdict.missing))
        session.execute(new.values(missing_since=now, **due))
    tell_gone(session, write_gone(session, verdict.gone, now=now), now=now)
    if verdict.missing or verdict.gone:
        counts = {name: len(getattr(verdict, name)) for name in ("missing", "waiting", "gone")}
        log.info("posts_absent", source_id=source_id, **counts)
    return Reconciled(missing=verdict.missing, waiting=verdict.waiting, gone=verdict.gone)


def _absent(session: Session, walk: Walk, *, source_id: int) -> list[Absent]:
    if walk.oldest is None or walk.newest is None:
        return []
    p = _POST.c
    rows = session.execute(
        select(p.id, p.missing_since, p.next_visit_at.is_not(None))
        .where(p.source_id == source_id, p.deleted_at.is_(None))
        .where(p.published_at > walk.oldest, p.published_at < walk.newest)
        .where(func.greatest(p.seen_at, p.last_seen_at) < walk.began_at)
        .order_by(p.external_id_hash)
        .limit(_MOST)
        .with_for_update(key_share=True)
    )
    return [Absent(id=id_, missing_since=since, can_ask=due) for id_, since, due in rows]


def remove(
    session: Session,
    external_ids: Collection[str],
    *,
    source_id: int,
    now: datetime,
    told_until: datetime | None = None,
) -> Sequence[int]:
    """Posts that the site itself says are no more.

    One that it told of later than ``told_until``, or else ``now``, stays: a run that meets a post
    both alive and gone has read a list that is not what it seems.
    """
    if not external_ids:
        return ()
    p = _POST.c
    ids = session.scalars(
        select(p.id)
        .where(p.source_id == source_id, p.external_id_hash.in_(_hashes(external_ids)))
        .where(p.deleted_at.is_(None))
        .where(func.greatest(p.seen_at, p.last_seen_at) <= (told_until or now))
        .order_by(p.external_id_hash)
        .with_for_update(key_share=True)
    ).all()
    tell_gone(session, write_gone(session, ids, now=now), now=now)
    return ids


def note_listed(
    session: Session, external_ids: Collection[str], *, source_id: int, now: datetime
) -> None:
    """Kept posts that a page lists and that could not be read this time: they are not absent."""
    if external_ids:
        there = update(_POST).where(
            _POST.c.source_id == source_id,
            _POST.c.external_id_hash.in_(_hashes(external_ids)),
            _POST.c.deleted_at.is_(None),
        )
        session.execute(there.values(last_seen_at=now, missing_since=None))


def note_missing(session: Session, post_ids: Collection[int], *, now: datetime) -> None:
    """Posts that an answer lacks whose word is not enough to say that they are gone."""
    if post_ids:
        new = update(_POST).where(_POST.c.id.in_(post_ids), _POST.c.missing_since.is_(None))
        session.execute(new.values(missing_since=now))


def _hashes(external_ids: Collection[str]) -> list[bytes]:
    return [hashlib.sha256(one.encode("utf-8", "surrogatepass")).digest() for one in external_ids]
