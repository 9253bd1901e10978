"""The statements that write posts: a handful for a whole batch, whatever its size.

Times: ``post.seen_at`` is when the version at hand was first seen, ``post_version.seen_at`` the
same of an earlier one. ``sort_at`` stays where the first sighting put it, unless a date turns up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text, bindparam, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import PostEngagement, PostRow, PostVersion
from core.types import GoneReason
from pipeline.changes import Change, Known, Sighting
from pipeline.presence import gone_reason

_POST: Any = PostRow.__table__
_VERSION: Any = PostVersion.__table__
_ENGAGEMENT: Any = PostEngagement.__table__
_SAID = ("title", "text", "rating", "content_hash")
_FOLLOWS_EDIT = (
    *_SAID,
    "kind",
    "url",
    "author",
    "author_id",
    "rating_scale",
    "parent_id",
    "language",
    "extra",
    "seen_at",
)


def find_keys(session: Session, batch: Sequence[Sighting], *, source_id: int) -> set[bytes]:
    """Which posts are there already: a look that saves time and decides nothing.

    It takes no locks. Rows are inserted before others are locked, each in the order of the keys,
    so that two writers wait for each other and never in a circle.
    """
    keys = [s.latest.external_id_hash for s in batch]
    found = session.scalars(
        select(_POST.c.external_id_hash)
        .where(_POST.c.source_id == source_id)
        .where(_POST.c.external_id_hash.in_(keys))
    )
    return {bytes(key) for key in found}


def insert_new(
    session: Session, batch: Sequence[Sighting], *, source_id: int, crawl_run_id: int | None
) -> dict[bytes, int]:
    """Insert who is not there yet; ids by key. The unique key decides, not a look before."""
    if not batch:
        return {}
    rows = [
        {
            **s.latest.columns,
            "source_id": source_id,
            "crawl_run_id": crawl_run_id,
            "version": 1 + len(s.earlier),
            "gone_reason": (
                gone_reason(s.latest.columns["extra"]).value if s.latest.is_deleted else None
            ),
        }
        for s in batch
    ]
    statement = (
        insert(_POST)
        .on_conflict_do_nothing(index_elements=["source_id", "external_id_hash"])
        .returning(_POST.c.external_id_hash, _POST.c.id)
    )
    return {bytes(key): id_ for key, id_ in session.execute(statement, rows)}


def load_known(
    session: Session, batch: Sequence[Sighting], *, source_id: int
) -> dict[bytes, Known]:
    """Lock and read posts that are there, in the order of their keys."""
    if not batch:
        return {}
    p = _POST.c
    history = (
        select(func.array_agg(PostVersion.content_hash))
        .where(PostVersion.post_id == p.id)
        .scalar_subquery()
        .label("history")
    )
    told = (p.external_id_hash, p.id, p.version, p.content_hash, p.deleted_at, p.edited_at)
    told_at = func.greatest(p.seen_at, p.last_seen_at).label("told_at")
    dated = (p.seen_at, p.published_at, p.published_quality, p.extra)
    statement = (
        select(*told, *dated, p.engagement, told_at, history)
        .where(p.source_id == source_id)
        .where(p.external_id_hash.in_([s.latest.external_id_hash for s in batch]))
        .order_by(p.external_id_hash)
        .with_for_update(of=_POST)
    )
    return {bytes(row.external_id_hash): _known(row) for row in session.execute(statement)}


def _known(row: Any) -> Known:
    return Known(
        id=row.id,
        version=row.version,
        content_hash=bytes(row.content_hash),
        history=frozenset(bytes(one) for one in row.history or ()),
        deleted_at=row.deleted_at,
        edited_at=row.edited_at,
        engagement=row.engagement,
        seen_at=row.seen_at,
        told_at=row.told_at,
        published_at=row.published_at,
        published_quality=row.published_quality,
        extra=row.extra,
    )


def write_change(session: Session, changes: Sequence[Change], *, now: datetime) -> None:
    """Write what changed; the rows themselves of new posts are there already."""
    _archive(session, [c.post_id for c in changes if c.is_edited and not c.is_first])
    _insert_recovered(session, changes, now=now)
    _update_revised(session, [c for c in changes if c.is_revised and not c.is_first])
    _write_notes(session, [c for c in changes if c.is_noted and not c.is_revised])
    _write_back(session, [c.post_id for c in changes if c.is_back])
    _update_engagement(session, [c for c in changes if c.is_counted], now=now)
    _index(session, [c for c in changes if c.is_edited])


def _archive(session: Session, post_ids: Sequence[int]) -> None:
    """Copy what the posts say now into their history, inside the server."""
    if not post_ids:
        return
    names = ("version", *_SAID, "seen_at")
    said = select(_POST.c.id, *(_POST.c[name] for name in names)).where(_POST.c.id.in_(post_ids))
    session.execute(insert(PostVersion).from_select(["post_id", *names], said))


def _insert_recovered(session: Session, changes: Sequence[Change], *, now: datetime) -> None:
    """Texts that came and went within the batch take the numbers just below the latest one."""
    rows = [
        {"post_id": c.post_id, "version": c.version - len(c.recovered) + place, "seen_at": now}
        | {name: one.columns[name] for name in _SAID}
        for c in changes
        for place, one in enumerate(c.recovered)
    ]
    if rows:
        session.execute(insert(_VERSION), rows)


def _update_revised(session: Session, changes: Sequence[Change]) -> None:
    rows = [
        {f"new_{name}": c.latest.columns[name] for name in _FOLLOWS_EDIT}
        | {
            "post": c.post_id,
            "new_version": c.version,
            "new_edited_at": c.latest.columns["edited_at"],
            "new_published_at": c.latest.columns["published_at"],
            "new_quality": c.latest.columns["published_quality"],
        }
        for c in changes
    ]
    if rows:
        session.connection().execute(_REVISE, rows)


def _revise() -> Any:
    p = _POST.c
    edited = bindparam("new_edited_at", type_=DateTime(timezone=True))
    # Sites that say "2 days ago" tell another date each time: the first one stays.
    published = func.coalesce(
        p.published_at, bindparam("new_published_at", type_=DateTime(timezone=True))
    )
    quality = case(
        (p.published_at.is_(None), bindparam("new_quality", type_=Text())),
        else_=p.published_quality,
    )
    return (
        update(_POST)
        .where(p.id == bindparam("post"))
        .values(
            {name: bindparam(f"new_{name}", type_=p[name].type) for name in _FOLLOWS_EDIT}
            | {
                "version": bindparam("new_version"),
                "edited_at": func.coalesce(edited, p.edited_at),
                "published_at": published,
                "published_quality": quality,
                "sort_at": func.coalesce(published, p.sort_at),
            }
        )
    )


_REVISE = _revise()


def write_gone(
    session: Session, post_ids: Sequence[int], *, now: datetime
) -> dict[GoneReason, list[int]]:
    """Say that posts are gone and why; they keep what they said. Returns them by reason."""
    if not post_ids:
        return {}
    rows = session.execute(select(_POST.c.id, _POST.c.extra).where(_POST.c.id.in_(post_ids)))
    by_reason: dict[GoneReason, list[int]] = {}
    for id_, extra in rows:
        by_reason.setdefault(gone_reason(extra), []).append(id_)
    for reason, ids in by_reason.items():
        session.execute(
            update(_POST)
            .where(_POST.c.id.in_(ids))
            .values(
                deleted_at=now,
                gone_reason=reason.value,
                missing_since=None,
                next_visit_at=None,
                last_seen_at=now,
            )
        )
    return by_reason


def _write_notes(session: Session, changes: Sequence[Change]) -> None:
    rows = [{"post": c.post_id, "noted": c.latest.columns["extra"]} for c in changes]
    if rows:
        noted = bindparam("noted", type_=_POST.c.extra.type)
        statement = update(_POST).where(_POST.c.id == bindparam("post")).values(extra=noted)
        session.connection().execute(statement, rows)


def _write_back(session: Session, post_ids: Sequence[int]) -> None:
    if post_ids:
        gone = update(_POST).where(_POST.c.id.in_(post_ids))
        session.execute(gone.values(deleted_at=None, gone_reason=None))


def note_told(session: Session, post_ids: Sequence[int], *, now: datetime) -> None:
    """Posts that a page told of again are not missing: one statement for a page."""
    if post_ids:
        told = update(_POST).where(_POST.c.id.in_(post_ids))
        session.execute(told.values(last_seen_at=now, missing_since=None))


def _update_engagement(session: Session, changes: Sequence[Change], *, now: datetime) -> None:
    """Counters belong to no version: a row each time that they moved, the last on the post."""
    if not changes:
        return
    rows = [
        {"post_id": c.post_id, "seen_at": now, "counts": dict(c.latest.engagement)} for c in changes
    ]
    series = insert(_ENGAGEMENT)
    session.execute(
        series.on_conflict_do_update(
            index_elements=["post_id", "seen_at"], set_={"counts": series.excluded.counts}
        ),
        rows,
    )
    moved = [{"post": row["post_id"], "counts": row["counts"]} for row in rows]
    session.connection().execute(
        update(_POST)
        .where(_POST.c.id == bindparam("post"))
        .values(engagement=bindparam("counts", type_=_POST.c.engagement.type)),
        moved,
    )


def _index(session: Session, changes: Sequence[Change]) -> None:
    if changes:
        session.execute(
            text(
                "INSERT INTO post_search (post_id, vector) VALUES (:post, fold_vector(:folded))"
                " ON CONFLICT (post_id) DO UPDATE SET vector = excluded.vector"
            ),
            [{"post": c.post_id, "folded": c.latest.folded} for c in changes],
        )
