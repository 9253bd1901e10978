"""A row of a mention list, written as the API shows it; plain dicts, for the hot list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from api.queries import LISTED_TEXT, SHOWN_COLUMNS
from api.shown import show_id
from core.ids import Prefix
from core.types import Severity

_LEVELS = {level.value: level.label for level in Severity}


def show_mention_row(row: Row[Any]) -> dict[str, Any]:
    """One item of ``MentionPage``, without the cost of its model; a test compares both.

    The row is taken as a tuple: reading 30 attributes of a row costs as much as its query.
    """
    item = dict(zip(SHOWN_COLUMNS, row, strict=False))
    text: str = item["text"]
    item["id"] = show_id(Prefix.MENTION, item["id"])
    item["brand_id"] = show_id(Prefix.BRAND, item["brand_id"])
    item["source_id"] = show_id(Prefix.SOURCE, item["source_id"])
    item["post_id"] = show_id(Prefix.POST, item["post_id"])
    item["text"] = text[:LISTED_TEXT]
    item["is_text_cut"] = len(text) > LISTED_TEXT
    item["severity"] = _LEVELS[item["severity"]]
    item["is_corrected"] = row.corrected_at is not None
    return item
