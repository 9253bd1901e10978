"""What belongs to the installation: sources, their runs and the posts that were kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.models.columns import (
    Base,
    Big,
    Created,
    Hash,
    Json,
    Key,
    Time,
    Word,
    one_of,
)


class SourceKind(Base):
    """A spider that this installation has; written by the crawlers at start."""

    __tablename__ = "source_kind"
    kind: Mapped[Word] = mapped_column(primary_key=True)
    title: Mapped[Word]
    config_schema: Mapped[Json]  #: JSON Schema of ``source.params``
    minimum_interval_seconds: Mapped[int]
    is_verified: Mapped[bool]  #: checked against recordings of the real site
    family: Mapped[Word]  #: how its pages carry their posts
    needs_opt_in: Mapped[bool]  #: off until the operator names it in ``[crawl] opted_in``
    is_opted_in: Mapped[bool]
    secrets: Mapped[Json]  #: parts of the credential that it needs, each with what it is
    updated_at: Mapped[Created]


class Source(Base):
    """One place that is crawled, with its own frequency; shared by all workspaces."""

    __tablename__ = "source"
    __table_args__ = (
        CheckConstraint("interval_seconds > 0", name="interval_positive"),
        one_of("managed_by", "api", "file"),
        Index("ix_source_due", "next_due_at", postgresql_where=text("is_enabled")),
    )
    id: Mapped[Key]
    slug: Mapped[Word] = mapped_column(unique=True)
    kind: Mapped[Word] = mapped_column(ForeignKey("source_kind.kind"))
    params: Mapped[Json]
    interval_seconds: Mapped[int]
    time_zone: Mapped[Word] = mapped_column(server_default="UTC")
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    next_due_at: Mapped[Time | None]  #: null means due at once
    cursor: Mapped[Json]  #: how far the source was read; moves only with a whole run
    resume: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  #: where a cut-off run stood
    last_outcome: Mapped[Word | None]
    last_reason: Mapped[Word | None]
    last_run_at: Mapped[Time | None]
    failures: Mapped[int] = mapped_column(server_default="0")  #: runs in a row that were not ok
    managed_by: Mapped[Word] = mapped_column(server_default="api")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class CrawlRun(Base):
    """One run of one source."""

    __tablename__ = "crawl_run"
    __table_args__ = (
        one_of("outcome", "running", "ok", "empty", "blocked", "drift", "auth", "quota", "error"),
        Index("ix_crawl_run_recent", "source_id", text("started_at DESC")),
        Index("ix_crawl_run_running", "source_id", postgresql_where=text("outcome = 'running'")),
    )
    id: Mapped[Key]
    source_id: Mapped[Big] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    outcome: Mapped[Word]
    reason: Mapped[Word | None]
    started_at: Mapped[Time]
    finished_at: Mapped[Time | None]
    pages: Mapped[int] = mapped_column(server_default="0")
    posts_seen: Mapped[int] = mapped_column(server_default="0")
    posts_new: Mapped[int] = mapped_column(server_default="0")
    posts_changed: Mapped[int] = mapped_column(server_default="0")
    dead_letters: Mapped[int] = mapped_column(server_default="0")
    coverage: Mapped[Json]  #: what the page said there is against what was read
    profile: Mapped[Json]  #: what its posts were like: shares of filled fields, languages, newest


class PostRow(Base):
    """A post as kept; ``core.types.Post`` is the value that it came from."""

    __tablename__ = "post"
    __table_args__ = (
        UniqueConstraint("source_id", "external_id_hash"),
        one_of("published_quality", "exact", "day", "month", "unknown"),
        CheckConstraint("version >= 1", name="version_positive"),
        Index(
            "ix_post_unjudged",
            "id",
            postgresql_where=text("judged_version IS DISTINCT FROM version"),
        ),
        Index("ix_post_listed", "source_id", "published_at"),
        Index(
            "ix_post_to_visit",
            "source_id",
            "next_visit_at",
            postgresql_where=text("next_visit_at IS NOT NULL"),
        ),
        one_of("gone_reason", "deleted", "removed_after_resolution"),
    )
    id: Mapped[Key]
    source_id: Mapped[Big] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    crawl_run_id: Mapped[Big | None] = mapped_column(
        ForeignKey("crawl_run.id", ondelete="SET NULL"), index=True
    )
    external_id: Mapped[Word]
    external_id_hash: Mapped[Hash]
    kind: Mapped[Word]
    url: Mapped[Word]
    title: Mapped[Word | None]
    text: Mapped[Word]
    author: Mapped[Word | None]
    author_id: Mapped[Word | None]
    rating: Mapped[float | None]
    rating_scale: Mapped[float | None]
    parent_id: Mapped[Word | None]
    language: Mapped[Word | None]
    engagement: Mapped[Json]
    extra: Mapped[Json]
    published_at: Mapped[Time | None]
    published_quality: Mapped[Word]
    edited_at: Mapped[Time | None]
    seen_at: Mapped[Time]
    sort_at: Mapped[Time]  #: published, else seen
    deleted_at: Mapped[Time | None]
    gone_reason: Mapped[Word | None]  #: deleted, or removed_after_resolution
    missing_since: Mapped[Time | None]  #: absent where it should be listed; not yet looked for
    #: When its source last told of it, there or gone; null: not again since ``seen_at``.
    last_seen_at: Mapped[Time | None]
    next_visit_at: Mapped[Time | None]  #: when to ask for it again by itself
    visits: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")
    content_hash: Mapped[Hash]
    judged_version: Mapped[int | None]
    judged_at: Mapped[Time | None]


class PostVersion(Base):
    """What a post said before it was edited or deleted."""

    __tablename__ = "post_version"
    post_id: Mapped[Big] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Word | None]
    text: Mapped[Word]
    rating: Mapped[float | None]
    content_hash: Mapped[Hash]
    seen_at: Mapped[Time]


class PostEngagement(Base):
    """The counters of a post at one time; a row only when they changed."""

    __tablename__ = "post_engagement"
    post_id: Mapped[Big] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[Time] = mapped_column(primary_key=True, index=True)
    counts: Mapped[Json]


class PostSearch(Base):
    """The folded full text, apart from the guarded tables: their policy would disable GIN."""

    __tablename__ = "post_search"
    __table_args__ = (Index("ix_post_search_vector", "vector", postgresql_using="gin"),)
    post_id: Mapped[Big] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True
    )
    vector: Mapped[str] = mapped_column(TSVECTOR)


class DeadLetter(Base):
    """What could not be processed, with its reason; nothing is dropped silently."""

    __tablename__ = "dead_letter"
    __table_args__ = (Index("ix_dead_letter_recent", text("created_at DESC")),)
    id: Mapped[Key]
    stage: Mapped[Word]  #: parse, keep, judge …
    source_id: Mapped[Big | None] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), index=True
    )
    crawl_run_id: Mapped[Big | None] = mapped_column(
        ForeignKey("crawl_run.id", ondelete="SET NULL"), index=True
    )
    post_id: Mapped[Big | None] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), index=True
    )
    fingerprint: Mapped[Hash] = mapped_column(unique=True)  #: the same failure is one row
    url: Mapped[Word | None]
    reason: Mapped[Word]
    detail: Mapped[Json]
    created_at: Mapped[Time]


class Process(Base):
    """A running process of this installation and its last sign of life."""

    __tablename__ = "process"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[Word]
    host: Mapped[Word]
    pid: Mapped[int]
    started_at: Mapped[Time]
    beat_at: Mapped[Time]
