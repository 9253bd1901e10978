"""A post as its row: cleaned, dated and hashed; pure, so that a bad post fails here and alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.clean import clean, clean_json
from core.fold import fold
from core.types import Post, PublishedQuality
from pipeline.errors import UnstorableError

#: A tsvector holds 1 MB at most; folding more than this only costs time.
LONGEST_INDEXED = 200_000
#: The web's boards begin about then; an earlier date is a placeholder such as 1970-01-01.
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_LARGEST_COUNT = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Storable:
    """One post, ready for the tables."""

    columns: Mapping[str, Any]  #: of ``post``, without id, source, run and version
    external_id_hash: bytes
    content_hash: bytes  #: of the text as if the post were there; a deletion is no edit
    edited_at: datetime | None
    is_deleted: bool
    engagement: Mapping[str, int]
    folded: str  #: for the full-text index


def storable(post: Post, *, now: datetime) -> Storable:
    """Prepare ``post`` as seen at ``now``; ``UnstorableError`` says why it cannot be kept."""
    if not isinstance(post.external_id, str) or not post.external_id:
        raise UnstorableError("post has no external id")
    if not isinstance(post.text, str):
        raise UnstorableError("post has no text")
    try:
        return _prepared(post, now=now)
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise UnstorableError(f"post holds a value that cannot be stored: {error}") from error


def _prepared(post: Post, *, now: datetime) -> Storable:
    published_at = believable(post.published_at, now=now)
    edited_at = believable(post.edited_at, now=now)
    content_hash = replace(post, is_deleted=False).content_hash
    engagement = _counts(post.engagement)
    title, body = _word(post.title), clean(post.text)
    return Storable(
        columns={
            "external_id": clean(post.external_id),
            "external_id_hash": post.external_id_hash,
            "kind": post.kind.value,
            "url": clean(post.url),
            "title": title,
            "text": body,
            "author": _word(post.author),
            "author_id": _word(post.author_id),
            "rating": _number(post.rating),
            "rating_scale": _number(post.rating_scale),
            "parent_id": _word(post.parent_id),
            "language": _word(post.language),
            "engagement": engagement,
            "extra": _extra(post, published_at=published_at, edited_at=edited_at),
            "published_at": published_at,
            "published_quality": (
                post.published_quality if published_at else PublishedQuality.UNKNOWN
            ).value,
            "edited_at": edited_at,
            "seen_at": now,
            "sort_at": published_at or now,
            "deleted_at": now if post.is_deleted else None,
            "content_hash": content_hash,
        },
        external_id_hash=post.external_id_hash,
        content_hash=content_hash,
        edited_at=edited_at,
        is_deleted=post.is_deleted,
        engagement=engagement,
        folded=fold(f"{title or ''}\n{body}"[:LONGEST_INDEXED])[:LONGEST_INDEXED],
    )


def believable(moment: datetime | None, *, now: datetime) -> datetime | None:
    """``moment`` in UTC, or None when no post can be from then; naive times are read as UTC."""
    if moment is None:
        return None
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None  # at the edge of the calendar: year 1 or 9999
    return aware if EARLIEST <= aware <= now + _AHEAD else None


def storable_json(value: object) -> Any:
    """``value`` as plain JSON that Postgres takes; what JSON does not know becomes its text."""
    return json.loads(json.dumps(clean_json(_plain(value)), default=_as_text))


def _extra(
    post: Post, *, published_at: datetime | None, edited_at: datetime | None
) -> dict[str, Any]:
    raw: dict[str, object] = dict(post.extra)
    if post.published_at is not None and published_at is None:
        raw["published_at_raw"] = post.published_at.isoformat()
    if post.edited_at is not None and edited_at is None:
        raw["edited_at_raw"] = post.edited_at.isoformat()
    if post.rating is not None and _number(post.rating) is None:
        raw["rating_raw"] = str(post.rating)
    kept: dict[str, Any] = storable_json(raw)
    return kept


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _as_text(value: object) -> object:
    if isinstance(value, Mapping):
        return clean_json(dict(value))
    return clean(str(value))


def _word(value: str | None) -> str | None:
    return None if value is None else clean(value)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _counts(engagement: Mapping[str, int]) -> dict[str, int]:
    return {
        clean(str(name)): int(count)
        for name, count in engagement.items()
        if count is not None and abs(count) <= _LARGEST_COUNT
    }
