"""What a receiver is told of an alert; loaded once, shown by each channel in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, select
from sqlalchemy.orm import Session

from core.ids import Prefix, public_id
from core.models import (
    Alert,
    AlertMention,
    AlertRule,
    Brand,
    Mention,
    PostRow,
    PostVersion,
    Source,
    Workspace,
)
from core.types import DeliveryEvent, Severity
from pipeline.judged_text import judged_text

#: A message stays small; the link leads to all of them.
MOST_MENTIONS = 20
LONGEST_EXCERPT = 500
_UPDATE = {
    DeliveryEvent.DELETED: "DELETED",
    DeliveryEvent.REMOVED_AFTER_RESOLUTION: "REMOVED AFTER RESOLUTION",
    DeliveryEvent.RESTORED: "THERE AGAIN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMention:
    """One mention in a message."""

    id: str
    url: str
    source: str  #: slug
    source_kind: str
    title: str | None
    excerpt: str  #: of the judged text, around the strongest reason
    author: str | None
    language: str
    sentiment: str
    severity: Severity
    categories: tuple[str, ...]
    reasons: tuple[str, ...]
    matched: tuple[str, ...]
    version: int  #: of the post; above 1 after an edit
    published_at: datetime | None
    seen_at: datetime
    judged_at: datetime
    deleted_at: datetime | None = None
    gone_reason: str | None = None  #: as ``core.types.GoneReason``


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One alert, told; or what became of some of its mentions."""

    alert_id: str
    workspace: str
    brand_id: str
    brand: str
    brand_slug: str
    rule: str
    state: str
    severity: Severity
    is_grouped: bool
    triggered_at: datetime
    link: str
    mentions: tuple[ToldMention, ...]  #: worst first
    mention_count: int
    event: DeliveryEvent = DeliveryEvent.TRIGGERED
    updated_at: datetime | None = None  #: of an update: when its source told of the change

    @property
    def at(self) -> datetime:
        """When that happened of which it tells."""
        return self.updated_at or self.triggered_at

    @property
    def headline(self) -> str:
        """One line, e.g. ``CRITICAL: Voltano, 1 mention on board``."""
        several = "mention" if self.mention_count == 1 else "mentions"
        places = ", ".join(dict.fromkeys(one.source for one in self.mentions[:3]))
        where = f" on {places}" if places else ""
        what = _UPDATE.get(self.event, self.severity.name)
        return f"{what}: {self.brand}, {self.mention_count} {several}{where}"


def load_message(
    session: Session,
    alert_id: int,
    *,
    base_url: str,
    event: DeliveryEvent = DeliveryEvent.TRIGGERED,
    only: Sequence[int] | None = None,
    updated_at: datetime | None = None,
) -> tuple[Message, tuple[int, ...]]:
    """Read an alert as it stands now, and the keys of all its mentions, or of ``only`` some."""
    alert, brand, rule, workspace = session.execute(
        select(Alert, Brand, AlertRule.slug, Workspace.name)
        .join(Brand, Brand.id == Alert.brand_id)
        .join(AlertRule, AlertRule.id == Alert.rule_id)
        .join(Workspace, Workspace.id == Alert.workspace_id)
        .where(Alert.id == alert_id)
    ).one()
    told_of = [AlertMention.alert_id == alert_id]
    if only is not None:
        told_of.append(AlertMention.mention_id.in_(only))
    ids = tuple(session.scalars(select(AlertMention.mention_id).where(*told_of)))
    shown = public_id(Prefix.ALERT, alert.id)
    message = Message(
        alert_id=shown,
        workspace=workspace,
        brand_id=public_id(Prefix.BRAND, brand.id),
        brand=brand.name,
        brand_slug=brand.slug,
        rule=rule,
        state=alert.state,
        severity=Severity(alert.severity),
        is_grouped=alert.is_grouped,
        triggered_at=alert.triggered_at,
        link=f"{base_url.rstrip('/')}/alerts/{shown}",
        mentions=_mentions(session, told_of),
        mention_count=len(ids),
        event=event,
        updated_at=updated_at,
    )
    return message, ids


def _mentions(session: Session, told_of: Sequence[ColumnElement[bool]]) -> tuple[ToldMention, ...]:
    """With the text of the version that was judged, which an edit may have replaced since."""
    earlier = and_(PostVersion.post_id == PostRow.id, PostVersion.version == Mention.post_version)
    # An earlier version without a title has none, and not the one that it was given later.
    was_edited = PostVersion.post_id.is_not(None)
    rows = session.execute(
        select(
            Mention,
            PostRow.url,
            PostRow.author,
            PostRow.published_at,
            PostRow.deleted_at,
            PostRow.gone_reason,
            case((was_edited, PostVersion.title), else_=PostRow.title).label("title"),
            case((was_edited, PostVersion.text), else_=PostRow.text).label("text"),
            Source.slug,
            Source.kind,
        )
        .join(AlertMention, AlertMention.mention_id == Mention.id)
        .join(PostRow, PostRow.id == Mention.post_id)
        .outerjoin(PostVersion, earlier)
        .join(Source, Source.id == PostRow.source_id)
        .where(*told_of)
        .order_by(Mention.severity.desc(), Mention.id)
        .limit(MOST_MENTIONS)
    )
    return tuple(_told(row) for row in rows)


def _told(row: Any) -> ToldMention:
    mention: Mention = row.Mention
    return ToldMention(
        id=public_id(Prefix.MENTION, mention.id),
        url=row.url,
        source=row.slug,
        source_kind=row.kind,
        title=row.title,
        excerpt=excerpt(judged_text(row.title, row.text), mention.reasons),
        author=row.author,
        language=mention.language,
        sentiment=mention.sentiment,
        severity=Severity(mention.severity),
        categories=tuple(mention.categories),
        reasons=tuple(str(one.get("because", "")) for one in mention.reasons),
        matched=tuple(mention.matched),
        version=mention.post_version,
        published_at=row.published_at,
        seen_at=mention.seen_at,
        judged_at=mention.judged_at,
        deleted_at=row.deleted_at,
        gone_reason=row.gone_reason,
    )


def excerpt(text: str, reasons: Sequence[Mapping[str, Any]]) -> str:
    """At most 500 characters around the strongest reason, cut at words, on one line."""
    spans = [span for one in reasons for span in one.get("spans") or ()]
    first = int(spans[0]["start"]) if spans else 0
    start = max(0, first - LONGEST_EXCERPT // 3) if len(text) > LONGEST_EXCERPT else 0
    if start and (blank := text.find(" ", start, start + 30)) >= 0:
        start = blank + 1
    end = start + LONGEST_EXCERPT
    if end < len(text) and (blank := text.rfind(" ", end - 30, end)) > start:
        end = blank
    shown = " ".join(text[start:end].split())
    return f"{'… ' if start else ''}{shown}{' …' if end < len(text) else ''}"
