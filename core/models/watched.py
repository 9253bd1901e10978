"""What the installation knows about its own hearing: coverage, quotas, evidence, broken sources."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.columns import Base, Big, Hash, Json, Key, Time, Word, one_of


class RawAnswer(Base):
    """What a site answered, byte for byte; kept for some days, for good where it is evidence."""

    __tablename__ = "raw_answer"
    __table_args__ = (
        Index(
            "ix_raw_answer_expiring",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )
    id: Mapped[Key]
    source_id: Mapped[Big | None] = mapped_column(
        ForeignKey("source.id", ondelete="SET NULL"), index=True
    )
    sha256: Mapped[Hash] = mapped_column(unique=True)  #: of the body as it came, decompressed
    url: Mapped[Word]
    status: Mapped[int]
    headers: Mapped[Json]
    body: Mapped[bytes] = mapped_column(LargeBinary)  #: zlib
    size_bytes: Mapped[int]  #: before compression
    fetched_at: Mapped[Time]
    expires_at: Mapped[Time | None]  #: null: evidence, kept for good


class PostEvidence(Base):
    """In which answer a version of a post was read."""

    __tablename__ = "post_evidence"
    post_id: Mapped[Big] = mapped_column(
        ForeignKey("post.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    raw_answer_id: Mapped[Big] = mapped_column(
        ForeignKey("raw_answer.id", ondelete="CASCADE"), index=True
    )


class QuotaUse(Base):
    """Units that a credential has spent in one period."""

    __tablename__ = "quota_use"
    __table_args__ = (CheckConstraint("used >= 0", name="used_positive"),)
    kind: Mapped[Word] = mapped_column(primary_key=True)
    credential: Mapped[Word] = mapped_column(primary_key=True)  #: its name, never its value
    bucket: Mapped[Word] = mapped_column(primary_key=True)
    period_start: Mapped[Time] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(server_default="0")
    exhausted_until: Mapped[Time | None]  #: the site itself said that nothing is left


class SourceHour(Base):
    """Whether what a source published in one hour has been read, and if not, why."""

    __tablename__ = "source_hour"
    __table_args__ = (one_of("state", "read", "partly", "unread"),)
    source_id: Mapped[Big] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    hour: Mapped[Time] = mapped_column(primary_key=True)  #: its begin
    state: Mapped[Word]
    reason: Mapped[Word | None]
    runs: Mapped[int] = mapped_column(server_default="0")
    read_at: Mapped[Time | None]  #: when the first whole run after the hour ended


class OperationsAlert(Base):
    """A source that is not heard; for operators, never mixed with alerts about mentions."""

    __tablename__ = "operations_alert"
    __table_args__ = (
        Index(
            "ix_operations_alert_open",
            "source_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_operations_alert_feed", text("opened_at DESC"), text("id DESC")),
    )
    id: Mapped[Key]
    source_id: Mapped[Big] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    outcome: Mapped[Word]  #: of the newest run, as in ``crawl_run.outcome``, or why there is none
    reason: Mapped[Word]
    opened_at: Mapped[Time]
    seen_at: Mapped[Time]  #: end of the newest run that was not ok
    runs: Mapped[int] = mapped_column(server_default="1")  #: in a row that were not ok
    resolved_at: Mapped[Time | None]
