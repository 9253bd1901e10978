"""Raw answers of sites: kept for some days, and for good where a severe mention was read in them.

What a site answered is stored once, compressed, under the hash of its body, and linked to the
versions of posts that were read in it. Addresses and headers are kept without secrets.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clean import clean
from core.models import PostEvidence, PostRow, PostVersion, RawAnswer
from core.public_address import public_url
from core.settings import EvidenceSection
from core.types import Severity

_RAW: Any = RawAnswer.__table__
_LINK: Any = PostEvidence.__table__
_SAFE_HEADERS = frozenset(
    {
        "age",
        "cache-control",
        "content-language",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "server",
    }
)
_LONGEST_HEADER = 500
_MOST_DELETED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a site, as it came, without what was sent to get it."""

    url: str
    status: int
    headers: Mapping[str, str]  #: names in lower case
    body: bytes  #: decompressed
    fetched_at: datetime


def keep_answer(
    session: Session,
    answer: Answer,
    *,
    post_ids: Sequence[int],
    source_id: int,
    settings: EvidenceSection,
) -> int | None:
    """Store an answer for the posts whose newest version was read in it; the caller commits.

    None when there are no such posts, or when it is longer than ``settings.max_body_bytes``: half
    an answer would prove nothing.
    """
    if not post_ids or len(answer.body) > settings.max_body_bytes:
        return None
    key = _store(session, answer, source_id=source_id, keep=timedelta(days=settings.keep_days))
    now, p, v = answer.fetched_at, PostRow, PostVersion
    latest = select(p.id, p.version, literal(key)).where(
        p.id.in_(post_ids), p.deleted_at.is_(None) | (p.seen_at >= now)
    )
    # Texts that came and went within the answer are versions too.
    between = select(v.post_id, v.version, literal(key)).where(
        v.post_id.in_(post_ids), v.seen_at >= now
    )
    for read in (latest, between):
        session.execute(
            insert(_LINK)
            .from_select(["post_id", "version", "raw_answer_id"], read)
            .on_conflict_do_nothing()
        )
    return key


def _store(session: Session, answer: Answer, *, source_id: int, keep: timedelta) -> int:
    statement = insert(_RAW).values(
        source_id=source_id,
        sha256=hashlib.sha256(answer.body).digest(),
        url=clean(public_url(answer.url)),
        status=answer.status,
        headers=safe_headers(answer.headers),
        body=zlib.compress(answer.body),
        size_bytes=len(answer.body),
        fetched_at=answer.fetched_at,
        expires_at=answer.fetched_at + keep,
    )
    later = func.greatest(_RAW.c.expires_at, statement.excluded.expires_at)
    is_pinned = _RAW.c.expires_at.is_(None)
    kept = session.execute(
        statement.on_conflict_do_update(
            index_elements=["sha256"], set_={"expires_at": case((is_pinned, None), else_=later)}
        ).returning(_RAW.c.id)
    )
    return int(kept.scalar_one())


def pin(session: Session, versions: Collection[tuple[int, int]]) -> int:
    """Keep for good the answers in which these versions of posts were read; return how many."""
    if not versions:
        return 0
    e, r = _LINK.c, _RAW.c
    read_in = select(e.raw_answer_id).where(tuple_(e.post_id, e.version).in_(versions))
    ids = session.scalars(
        select(r.id)
        .where(r.id.in_(read_in), r.expires_at.is_not(None))
        .order_by(r.id)
        .with_for_update()
    ).all()
    if ids:
        session.execute(update(_RAW).where(r.id.in_(ids)).values(expires_at=None))
    return len(ids)


def delete_expired(session: Session, *, from_severity: Severity, now: datetime) -> int:
    """Take away a batch of answers that nobody needs; return how many. The caller commits.

    An answer that a judge or a person has meanwhile found severe is pinned instead.
    """
    given = {"now": now, "level": from_severity.value, "limit": _MOST_DELETED}
    session.execute(_PIN_LATE, given)
    # To find orphans all pinned answers are looked at: once, behind the last that expired.
    expired = session.connection().execute(_DELETE_EXPIRED, given).rowcount
    return expired or session.connection().execute(_DELETE_ORPHANS, given).rowcount


_PIN_LATE = text(
    """
    UPDATE raw_answer SET expires_at = NULL WHERE id IN (
        SELECT a.id FROM raw_answer a
        JOIN post_evidence e ON e.raw_answer_id = a.id
        JOIN mention m ON m.post_id = e.post_id AND m.post_version = e.version
        WHERE a.expires_at <= :now
          AND greatest(m.severity, coalesce(m.corrected_severity, 0)) >= :level
    )
    """
)
_DELETE_EXPIRED = text(
    """
    DELETE FROM raw_answer WHERE id IN (
        SELECT id FROM raw_answer WHERE expires_at <= :now
        ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)
# The source of a pinned answer was deleted, and with it the posts that were read in it.
_DELETE_ORPHANS = text(
    """
    DELETE FROM raw_answer WHERE id IN (
        SELECT id FROM raw_answer a
        WHERE expires_at IS NULL
          AND NOT EXISTS (SELECT FROM post_evidence e WHERE e.raw_answer_id = a.id)
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)


def unpacked(body: bytes, *, size_bytes: int) -> bytes:
    """The body as it came; never more than ``size_bytes``."""
    return zlib.decompressobj().decompress(body, max(size_bytes, 1))


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those headers of an answer that say what it is; no cookies, nothing about who asked."""
    return {
        name: clean(value[:_LONGEST_HEADER])
        for name, value in sorted(headers.items())
        if name in _SAFE_HEADERS
    }
