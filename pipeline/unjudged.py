"""Kept posts as the matcher and the judge read them, and those that wait for a judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from core.models import PostRow, Source
from core.types import PublishedQuality

_POST: Any = PostRow.__table__
_READ = tuple(
    _POST.c[name]
    for name in ("id", "source_id", "version", "title", "text", "url", "extra", "published_at",
                 "published_quality", "seen_at", "sort_at", "deleted_at", "judged_version")
)  # fmt: skip
_DOMAIN = Source.params["domain"].astext.label("domain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """A post as the matcher and the judge read it."""

    id: int
    source_id: int
    version: int
    title: str | None
    text: str
    url: str
    extra: Mapping[str, Any]
    published_at: datetime | None
    published_quality: PublishedQuality
    seen_at: datetime
    sort_at: datetime
    is_deleted: bool
    is_edit: bool  #: an earlier version was judged; not so when a new brand has it judged again
    source_domain: str | None  #: the firm whose page the source reads, where it reads only one


def lock_unjudged(
    session: Session, post_ids: Sequence[int]
) -> tuple[list[Unjudged], tuple[int, ...]]:
    """Take those of the posts that wait; also the ids that somebody else holds just now."""
    p = _POST.c
    is_waiting = p.judged_version.is_distinct_from(p.version)
    rows = session.execute(
        select(*_READ, _DOMAIN)
        .join(Source, Source.id == p.source_id)
        .where(p.id.in_(post_ids), is_waiting)
        .order_by(p.id)
        .with_for_update(of=_POST, skip_locked=True, key_share=True)
    ).all()
    posts = [_unjudged(row) for row in rows]
    left = set(post_ids) - {post.id for post in posts}
    if not left:
        return posts, ()
    missed = session.scalars(select(p.id).where(p.id.in_(left), is_waiting).order_by(p.id))
    return posts, tuple(missed)


def read_kept(session: Session, *, after_id: int, limit: int) -> list[Unjudged]:
    """The next posts in the order of their ids, judged or not, without those that are gone."""
    p = _POST.c
    rows = session.execute(
        select(*_READ, _DOMAIN)
        .join(Source, Source.id == p.source_id)
        .where(p.id > after_id, p.deleted_at.is_(None))
        .order_by(p.id)
        .limit(limit)
    )
    return [_unjudged(row) for row in rows]


def _unjudged(row: Any) -> Unjudged:
    return Unjudged(
        id=row.id,
        source_id=row.source_id,
        version=row.version,
        title=row.title,
        text=row.text,
        url=row.url,
        extra=row.extra,
        published_at=row.published_at,
        published_quality=PublishedQuality(row.published_quality),
        seen_at=row.seen_at,
        sort_at=row.sort_at,
        is_deleted=row.deleted_at is not None,
        is_edit=row.judged_version not in (None, row.version),
        source_domain=row.domain,
    )


def mark_judged(session: Session, posts: Sequence[Unjudged], *, now: datetime) -> None:
    """Also posts about no brand are done, or the sweep would find them for ever."""
    if posts:
        session.connection().execute(
            update(_POST)
            .where(_POST.c.id == bindparam("post"))
            .values(judged_version=bindparam("judged"), judged_at=now),
            [{"post": post.id, "judged": post.version} for post in posts],
        )


def forgotten(session: Session, *, now: datetime, limit: int = 5_000) -> list[int]:
    """Posts that wait for over a minute and that no job names, neither waiting nor running."""
    values = {"before": now - timedelta(minutes=1), "limit": limit}
    return list(session.scalars(_FORGOTTEN, values))


# One statement, one snapshot: a job that ends meanwhile is there, or its posts are judged.
_FORGOTTEN = text(
    """
    WITH named AS (
        SELECT jsonb_array_elements_text(args -> 'post_ids')::bigint AS id
        FROM queue.procrastinate_jobs
        WHERE task_name = 'judge_posts' AND status IN ('todo', 'doing')
    )
    SELECT post.id FROM post
    WHERE judged_version IS DISTINCT FROM version AND seen_at < :before
      AND NOT EXISTS (SELECT FROM named WHERE named.id = post.id)
    ORDER BY post.id LIMIT :limit
    """
)
