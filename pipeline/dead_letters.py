"""Dead letters: what could not be processed is kept with its reason, and shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clean import clean
from core.models import DeadLetter
from core.public_address import guarded_url, shown_words
from pipeline.storable import storable_json

_LONGEST = 2_000
_LONGEST_DETAIL = 20_000


def bury(
    session: Session,
    *,
    stage: str,
    reason: str,
    now: datetime,
    source_id: int | None = None,
    crawl_run_id: int | None = None,
    post_id: int | None = None,
    url: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Keep one failure; the same failure again, also of a later run, stays one row.

    Failures are the same when stage, source, post, URL, reason and ``detail["external_id"]``
    are. Hostile content is cleaned and cut, and never raises. Addresses are kept without secrets.
    """
    shown = clean(guarded_url(url))[:_LONGEST] if url is not None else None
    why = clean(shown_words(reason))[:_LONGEST]
    known = storable_detail(detail or {})
    identity = (stage, source_id, post_id, shown, why, str(known.get("external_id")))
    session.execute(
        insert(DeadLetter)
        .values(
            stage=stage,
            source_id=source_id,
            crawl_run_id=crawl_run_id,
            post_id=post_id,
            fingerprint=hashlib.sha256(repr(identity).encode()).digest(),
            url=shown,
            reason=why,
            detail=known,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["fingerprint"])
    )


def storable_detail(detail: Mapping[str, object]) -> dict[str, Any]:
    """``detail`` as JSON that Postgres takes; beyond 20,000 characters only its beginning."""
    try:
        cleaned = storable_json(detail)
        written = json.dumps(cleaned)
    except (ValueError, TypeError, RecursionError) as error:
        return {"unreadable": type(error).__name__}
    if len(written) <= _LONGEST_DETAIL and isinstance(cleaned, dict):
        return cleaned
    identity = detail.get("external_id")
    cut: dict[str, Any] = {"beginning": written[:_LONGEST]}
    return cut | ({"external_id": clean(str(identity))[:_LONGEST]} if identity else {})
