"""What people corrected, as training data in the format of ``sentiment/training/data``.

A line holds the text and nothing else about who wrote it: no author, no address, no source. Its
ids are the opaque ones of the API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from core.fold import fold
from core.ids import Prefix, public_id
from core.models import Brand, Mention, MentionJudgement, PostRow, PostVersion
from core.types import PostKind, Sentiment, Severity
from pipeline.judged_text import judged_text

_MENTION: Any = Mention.__table__

_KIND = {
    PostKind.COMPLAINT: "complaint",
    PostKind.REVIEW: "review",
    PostKind.COMMENT: "comment",
    PostKind.POST: "forum",
    PostKind.ARTICLE: "press",
}
#: Of ten texts eight are to learn from, one to tune with and one to test with, by their own hash:
#: a text keeps its part for ever, also when it is exported again or found in another place.
_SPLITS = ("train",) * 8 + ("dev", "test")


def count_corrections(session: Session, *conditions: ColumnElement[bool]) -> tuple[int, int]:
    """How many corrected mentions there are, and of how many the post is gone from its source."""
    m = _MENTION.c
    row = session.execute(
        select(func.count(), func.count(PostRow.deleted_at))
        .select_from(_MENTION)
        .join(PostRow, PostRow.id == m.post_id)
        .where(m.corrected_at.is_not(None), *conditions)
    ).one()
    return row[0], row[1]


def read_corrections(
    session: Session, *conditions: ColumnElement[bool]
) -> Iterator[dict[str, Any]]:
    """Corrected mentions in the order of their ids, in constant memory.

    Left out are posts that are gone from their source: their author took the words back.
    """
    earlier = and_(
        PostVersion.post_id == Mention.post_id,
        PostVersion.version == Mention.corrected_version,
    )
    # What the judge said of that version when it came, where another judge has graded it since, or
    # an edit was judged; otherwise it stands on the mention.
    then = and_(
        MentionJudgement.mention_id == Mention.id,
        MentionJudgement.post_version == Mention.corrected_version,
        MentionJudgement.is_live,
    )
    was_edited = PostVersion.post_id.is_not(None)
    rows = session.execute(
        select(
            Mention,
            MentionJudgement,
            Brand.slug.label("brand"),
            PostRow.kind,
            case((was_edited, PostVersion.title), else_=PostRow.title).label("title"),
            case((was_edited, PostVersion.text), else_=PostRow.text).label("text"),
        )
        .join(Brand, Brand.id == Mention.brand_id)
        .join(PostRow, PostRow.id == Mention.post_id)
        .outerjoin(PostVersion, earlier)
        .outerjoin(MentionJudgement, then)
        .where(Mention.corrected_at.is_not(None), PostRow.deleted_at.is_(None), *conditions)
        .order_by(Mention.id)
        .execution_options(yield_per=500)
    )
    for row in rows:
        yield as_labelled(
            row.Mention,
            row.MentionJudgement or row.Mention,
            text=judged_text(row.title, row.text),
            kind=row.kind,
            brand=row.brand,
        )


def as_labelled(
    mention: Mention,
    said: Mention | MentionJudgement,
    *,
    text: str,
    kind: str,
    brand: str,
) -> dict[str, Any]:
    """One line: the labels of a person, and the judge's word where the person gave none.

    ``given`` names the labels that a person gave. What follows from them is applied: level none
    has no category, and high or critical is negative.
    """
    given = mention.corrected_severity
    level = Severity(said.severity if given is None else given)
    sentiment = mention.corrected_sentiment or said.sentiment
    if level >= Severity.HIGH and mention.corrected_sentiment is None:
        sentiment = Sentiment.NEGATIVE.value
    scenario = hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    label = {
        "sentiment": sentiment,
        "severity": level.label,
        "categories": list(said.categories) if level else [],
    }
    names = ("sentiment", "severity")
    return {
        "text": text,
        "lang": said.language,
        **label,
        "evidence": _evidence(said, level, text),
        "kind": _KIND[PostKind(kind)],
        "trap": None,
        "plain": False,
        "split": _SPLITS[int(scenario, 16) % len(_SPLITS)],
        "scenario": scenario,
        "writer": "correction",
        "readings": [label],
        "given": [name for name in names if getattr(mention, f"corrected_{name}") is not None],
        "judge": said.judge,
        "judged_sentiment": said.sentiment,
        "judged_severity": Severity(said.severity).label,
        "mention_id": public_id(Prefix.MENTION, mention.id),
        "post_id": public_id(Prefix.POST, mention.post_id),
        "brand": brand,
        "corrected_at": mention.corrected_at.isoformat() if mention.corrected_at else None,
    }


def _evidence(said: Mention | MentionJudgement, level: Severity, text: str) -> list[str]:
    """The judge's spans, where the person agrees that there is something to justify."""
    if min(level, Severity(said.severity)) < Severity.MEDIUM:
        return []
    spans: Sequence[dict[str, int]] = [
        span for reason in said.reasons for span in reason.get("spans") or ()
    ]
    parts = (text[span["start"] : span["end"]] for span in spans)
    return list(dict.fromkeys(part for part in parts if part.strip()))
