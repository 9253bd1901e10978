"""What belongs to a workspace: its keys, brands and mentions; guarded by row-level security."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.columns import (
    Base,
    Big,
    Created,
    Hash,
    Json,
    Key,
    Small,
    Time,
    Word,
    Words,
    child_of,
    one_of,
    tenant,
)


class Workspace(Base):
    """One customer of the installation."""

    __tablename__ = "workspace"
    id: Mapped[Key]
    name: Mapped[Word] = mapped_column(unique=True)
    created_at: Mapped[Created]


class ApiKey(Base):
    """Who may call; the key itself is shown once and never stored."""

    __tablename__ = "api_key"
    __table_args__ = (
        one_of("role", "owner", "analyst", "ops", "admin"),
        UniqueConstraint("id", "workspace_id"),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    name: Mapped[Word]
    prefix: Mapped[Word] = mapped_column(unique=True)
    hash: Mapped[Hash]  #: SHA-256 of the whole key; 256 random bits need no slow hash
    role: Mapped[Word]
    created_at: Mapped[Created]
    expires_at: Mapped[Time | None]
    revoked_at: Mapped[Time | None]


class Brand(Base):
    """Who is watched, with its search terms."""

    __tablename__ = "brand"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        UniqueConstraint("id", "workspace_id"),
        one_of("managed_by", "api", "file"),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    slug: Mapped[Word]
    name: Mapped[Word]
    aliases: Mapped[Words]
    query: Mapped[Word | None]  #: boolean query that decides instead of name and aliases
    excluded: Mapped[Words]  #: words that make a text about something else
    domains: Mapped[Words]
    handles: Mapped[Words]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    managed_by: Mapped[Word] = mapped_column(server_default="api")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class Story(Base):
    """One incident told in several places."""

    __tablename__ = "story"
    __table_args__ = (UniqueConstraint("id", "workspace_id"),)
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    title: Mapped[Word]
    created_at: Mapped[Created]


class Mention(Base):
    """A post about one brand, judged."""

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("post_id", "brand_id"),
        UniqueConstraint("id", "workspace_id"),
        child_of("brand", "brand_id"),
        child_of("story", "story_id", cascade=False),
        one_of("sentiment", "negative", "neutral", "positive"),
        CheckConstraint("severity BETWEEN 0 AND 4", name="severity_known"),
        Index("ix_mention_feed", "workspace_id", text("sort_at DESC"), text("id DESC")),
        Index("ix_mention_brand_feed", "brand_id", text("sort_at DESC"), text("id DESC")),
        Index(
            "ix_mention_corrected",
            "workspace_id",
            "id",
            postgresql_where=text("corrected_at IS NOT NULL"),
        ),
    )
    id: Mapped[Key]
    workspace_id: Mapped[int] = tenant()
    brand_id: Mapped[Big]
    post_id: Mapped[Big] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    story_id: Mapped[Big | None]
    post_version: Mapped[int]  #: the version of the post that was judged
    language: Mapped[Word]
    sentiment: Mapped[Word]
    sentiment_p: Mapped[Json]
    severity: Mapped[Small]
    severity_p: Mapped[Json]
    categories: Mapped[Words]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    matched: Mapped[Words]  #: the words that made this post one about the brand
    judge: Mapped[Word]  #: which judge graded it
    sort_at: Mapped[Time]
    seen_at: Mapped[Time]
    judged_at: Mapped[Time]  #: when the version was judged first: a step of the journey
    rejudged_at: Mapped[Time | None]  #: when ``judge`` replaced an earlier one; wakes nobody
    alerted_at: Mapped[Time | None]
    delivered_at: Mapped[Time | None]
    corrected_sentiment: Mapped[Word | None]
    corrected_severity: Mapped[Small | None]
    corrected_at: Mapped[Time | None]
    corrected_version: Mapped[int | None]  #: the version of the post that the person read


class IdempotentResponse(Base):
    """The answer to a request with an Idempotency-Key, given again to a repeat."""

    __tablename__ = "idempotent_response"
    workspace_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[Word] = mapped_column(primary_key=True)
    request_hash: Mapped[Hash]
    status: Mapped[int]
    body: Mapped[Json]
    created_at: Mapped[Time]
