"""Rows as the pipeline leaves them, for tests of what is shown."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert
from sqlalchemy.orm import Session

from core.fold import fold
from core.models import (
    Alert,
    AlertDecision,
    AlertMention,
    AlertRule,
    Brand,
    Delivery,
    Mention,
    PostEvidence,
    PostRow,
    PostSearch,
    RawAnswer,
    Receiver,
    Source,
)
from tests.factories import NOW

_NUMBERS = itertools.count(1)


def add_post(session: Session, source: Source, **given: Any) -> PostRow:
    """A complaint seen 20 seconds after it was published, and searchable."""
    number = next(_NUMBERS)
    external_id = f"kept-{number}"
    published_at = given.get("published_at", NOW)
    seen_at = given.get("seen_at", (published_at or NOW) + timedelta(seconds=20))
    defaults: dict[str, Any] = {
        "external_id": external_id,
        "external_id_hash": hashlib.sha256(external_id.encode()).digest(),
        "kind": "complaint",
        "url": f"https://board.example/post/{number}",
        "title": "The parcel never came",
        "text": "Voltano lost my parcel and nobody answers.",
        "author": "Ana K.",
        "engagement": {},
        "extra": {},
        "published_at": published_at,
        "published_quality": "exact" if published_at else "unknown",
        "seen_at": seen_at,
        "sort_at": published_at or seen_at,
        "content_hash": b"\0" * 32,
        "version": 1,
        "judged_version": 1,
        "judged_at": seen_at + timedelta(seconds=1),
    }
    row = PostRow(source_id=source.id, **(defaults | given))
    session.add(row)
    session.flush()
    folded = fold(f"{row.title or ''}\n{row.text}")
    session.execute(insert(PostSearch).values(post_id=row.id, vector=func.fold_vector(folded)))
    return row


def add_answer(session: Session, post: PostRow, body: bytes, **given: Any) -> RawAnswer:
    """The page in which a post was read."""
    defaults: dict[str, Any] = {
        "source_id": post.source_id,
        "sha256": hashlib.sha256(body).digest(),
        "url": post.url,
        "status": 200,
        "headers": {"content-type": "text/html"},
        "body": zlib.compress(body),
        "size_bytes": len(body),
        "fetched_at": post.seen_at,
        "expires_at": post.seen_at + timedelta(days=7),
    }
    row = RawAnswer(**(defaults | given))
    session.add(row)
    session.flush()
    link = {"post_id": post.id, "version": post.version, "raw_answer_id": row.id}
    session.execute(insert(PostEvidence).values(**link))
    return row


def add_mention(session: Session, brand: Brand, post: PostRow, **given: Any) -> Mention:
    """Negative, high, judged one second after it was seen."""
    defaults: dict[str, Any] = {
        "post_version": post.version,
        "language": "en",
        "sentiment": "negative",
        "sentiment_p": {"negative": 0.9, "neutral": 0.08, "positive": 0.02},
        "severity": 3,
        "severity_p": {"high": 0.8, "medium": 0.2},
        "categories": ["delivery"],
        "reasons": [],
        "matched": ["voltano"],
        "judge": "linear-test",
        "sort_at": post.sort_at,
        "seen_at": post.seen_at,
        "judged_at": post.seen_at + timedelta(seconds=1),
    }
    row = Mention(
        workspace_id=brand.workspace_id,
        brand_id=brand.id,
        post_id=post.id,
        **(defaults | given),
    )
    session.add(row)
    session.flush()
    return row


def add_alert(session: Session, rule: AlertRule, *mentions: Mention, **given: Any) -> Alert:
    """A triggered case of some mentions."""
    at: datetime = mentions[0].judged_at
    defaults: dict[str, Any] = {
        "dedup_key": f"case-{next(_NUMBERS)}",
        "state": "triggered",
        "severity": max(mention.severity for mention in mentions),
        "is_grouped": False,
        "triggered_at": at,
        "notify_at": at,
    }
    row = Alert(
        workspace_id=rule.workspace_id,
        rule_id=rule.id,
        brand_id=mentions[0].brand_id,
        **(defaults | given),
    )
    session.add(row)
    session.flush()
    for mention in mentions:
        mention.alerted_at = at
        session.add(
            AlertMention(
                alert_id=row.id, mention_id=mention.id, workspace_id=rule.workspace_id, added_at=at
            )
        )
        session.add(
            AlertDecision(
                mention_id=mention.id,
                rule_id=rule.id,
                post_version=mention.post_version,
                workspace_id=rule.workspace_id,
                alert_id=row.id,
                reason="severe_at_once",
                decided_at=at,
            )
        )
    session.flush()
    return row


def add_delivery(session: Session, alert: Alert, receiver: Receiver, **given: Any) -> Delivery:
    """One that arrived a second later."""
    at = alert.triggered_at
    defaults: dict[str, Any] = {
        "idempotency_key": uuid4(),
        "state": "delivered",
        "attempts": 1,
        "next_attempt_at": at,
        "created_at": at,
        "delivered_at": at + timedelta(seconds=1),
    }
    row = Delivery(
        workspace_id=alert.workspace_id,
        alert_id=alert.id,
        receiver_id=receiver.id,
        **(defaults | given),
    )
    session.add(row)
    alert.delivered_at = alert.delivered_at or row.delivered_at
    session.flush()
    return row
