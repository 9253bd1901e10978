"""What judges said before, and the runs that bring old mentions up to the judge of today."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.columns import (
    Base,
    Big,
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


class MentionJudgement(Base):
    """A judgement that another one has replaced on its mention; the latest is on the mention."""

    __tablename__ = "mention_judgement"
    __table_args__ = (
        child_of("mention", "mention_id"),
        one_of("sentiment", "negative", "neutral", "positive"),
        CheckConstraint("severity BETWEEN 0 AND 4", name="severity_known"),
    )
    mention_id: Mapped[Big] = mapped_column(primary_key=True)
    post_version: Mapped[int] = mapped_column(primary_key=True)
    judge: Mapped[Word] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = tenant()
    language: Mapped[Word]
    sentiment: Mapped[Word]
    sentiment_p: Mapped[Json]
    severity: Mapped[Small]
    severity_p: Mapped[Json]
    categories: Mapped[Words]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    judged_at: Mapped[Time]
    is_live: Mapped[bool]  #: judged when it arrived, so that the rules decided on it


class RejudgeRun(Base):
    """One walk over old mentions with the judge of then; belongs to the installation."""

    __tablename__ = "rejudge_run"
    id: Mapped[Key]
    judge: Mapped[Word]  #: name of the judge that grades; a worker with another one waits
    brand_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  #: null: all
    since: Mapped[Time | None]  #: only mentions published (else seen) from then on
    total: Mapped[Big]  #: mentions that were outdated when it began
    done: Mapped[Big] = mapped_column(server_default="0")  #: mentions graded anew
    dead: Mapped[Big] = mapped_column(server_default="0")  #: left as they were, see dead letters
    open_lanes: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    note: Mapped[Word | None]  #: why it does not move, when it does not
    requested_at: Mapped[Time]
    moved_at: Mapped[Time | None]  #: end of the last batch
    finished_at: Mapped[Time | None]
    stopped_at: Mapped[Time | None]
