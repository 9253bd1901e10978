"""A row of a mention list, written as the API shows it; plain dicts, for the hot list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from api.queries import LISTED_TEXT
from api.shown import show_id, show_severity
from core.ids import Prefix


def show_mention_row(row: Row[Any]) -> dict[str, Any]:
    """One item of ``MentionPage``, without the cost of its model; a test compares both."""
    text: str = row.text
    return {
        "id": show_id(Prefix.MENTION, row.id),
        "brand_id": show_id(Prefix.BRAND, row.brand_id),
        "brand": row.brand,
        "source_id": show_id(Prefix.SOURCE, row.source_id),
        "source": row.source,
        "post_id": show_id(Prefix.POST, row.post_id),
        "url": row.url,
        "title": row.title,
        "text": text[:LISTED_TEXT],
        "is_text_cut": len(text) > LISTED_TEXT,
        "author": row.author,
        "kind": row.kind,
        "rating": row.rating,
        "rating_scale": row.rating_scale,
        "language": row.language,
        "sentiment": row.sentiment,
        "severity": show_severity(row.severity),
        "categories": row.categories,
        "matched": row.matched,
        "is_corrected": row.corrected_at is not None,
        "version": row.post_version,
        "published_at": row.published_at,
        "published_quality": row.published_quality,
        "edited_at": row.edited_at,
        "deleted_at": row.deleted_at,
        "seen_at": row.seen_at,
        "judged_at": row.judged_at,
        "alerted_at": row.alerted_at,
        "delivered_at": row.delivered_at,
    }
