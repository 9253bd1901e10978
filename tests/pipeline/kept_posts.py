"""Posts put into the tables by a test, and what is found there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.fold import fold
from core.models import PostRow, PostSearch, PostVersion, Source
from core.types import Post
from pipeline.ingest import Kept, keep


def kept(session: Session, source: Source, *posts: Post, now: datetime) -> Kept:
    return keep(session, posts, source_id=source.id, crawl_run_id=None, now=now)


def row(session: Session, **where: Any) -> PostRow:
    session.expire_all()
    return session.scalars(select(PostRow).filter_by(**where)).one()


def versions(session: Session) -> list[tuple[int, str]]:
    found = session.execute(
        select(PostVersion.version, PostVersion.text).order_by(PostVersion.version)
    )
    return [(version, said) for version, said in found]


def jobs(session: Session) -> list[list[int]]:
    found = session.scalars(
        text("SELECT args->'post_ids' FROM procrastinate_jobs WHERE task_name='judge_posts'")
    )
    return list(found)


def snapshot(session: Session) -> list[tuple[Any, ...]]:
    session.expire_all()
    tables = (
        "SELECT to_jsonb(post) - 'last_seen_at' FROM post ORDER BY id",
        "SELECT * FROM post_version ORDER BY post_id, version",
        "SELECT * FROM post_engagement ORDER BY post_id, seen_at",
        "SELECT post_id, vector::text FROM post_search ORDER BY post_id",
        "SELECT * FROM dead_letter ORDER BY id",
    )
    return [tuple(found) for table in tables for found in session.execute(text(table))]


def hits(session: Session, word: str) -> int:
    query = func.plainto_tsquery("simple", fold(word))
    found = session.scalar(
        select(func.count()).select_from(PostSearch).where(PostSearch.vector.op("@@")(query))
    )
    return found or 0
