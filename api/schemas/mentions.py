"""Mentions as the API shows them, and how they are asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from api.shown import Moment, Page, SeverityWord, Shown, Text, Wanted
from core.types import Category, GoneReason, PostKind, PublishedQuality, Sentiment

Filter = Annotated[list[Annotated[Text, Field(max_length=80)]], Field(max_length=50)]

EXAMPLE: dict[str, Any] = {
    "id": "men_Uk3bXq0aLw",
    "brand_id": "brd_86Rf07xd4z",
    "brand": "voltano",
    "brand_name": "Voltano",
    "source_id": "src_JgaEBgznCp",
    "source": "complaint-board",
    "post_id": "pst_wNd8e1rQzk",
    "url": "https://board.example/post/17",
    "title": "Charger melted on the wall",
    "text": "My Voltano charger caught fire overnight and nobody answers my calls.",
    "is_text_cut": False,
    "author": "Ana K.",
    "kind": "complaint",
    "rating": 1.0,
    "rating_scale": 5.0,
    "language": "en",
    "sentiment": "negative",
    "severity": "critical",
    "categories": ["safety", "service"],
    "matched": ["voltano"],
    "is_corrected": False,
    "version": 1,
    "published_at": "2026-03-02T11:58:40Z",
    "published_quality": "exact",
    "edited_at": None,
    "deleted_at": None,
    "gone_reason": None,
    "missing_since": None,
    "seen_at": "2026-03-02T11:59:02Z",
    "judged_at": "2026-03-02T11:59:03Z",
    "alerted_at": "2026-03-02T11:59:03Z",
    "delivered_at": "2026-03-02T11:59:04Z",
}


WHOLE_EXAMPLE: dict[str, Any] = EXAMPLE | {
    "story_id": None,
    "judged": {
        "sentiment": "negative",
        "sentiment_p": {"negative": 0.97, "neutral": 0.02, "positive": 0.01},
        "severity": "critical",
        "severity_p": {"critical": 0.81, "high": 0.15, "medium": 0.04},
        "judge": "neural-1+1a2b3c4d",
        "version": 1,
        "judged_at": "2026-03-02T11:59:03Z",
        "is_rejudged": False,
        "agrees_on_sentiment": None,
        "agrees_on_severity": None,
    },
    "judged_before": [],
    "correction": None,
    "evidence": f"{EXAMPLE['title']}\n\n{EXAMPLE['text']}",
    "reasons": [
        {
            "because": 'safety: "caught fire"',
            "category": "safety",
            "spans": [{"start": 47, "end": 58}],
            "weight": 2.1,
        }
    ],
    "versions": [],
    "engagement": {"likes": 3},
    "extra": {"case": {"status": "answered", "says": "Answered"}},
    "alert_ids": ["alt_Uk3bXq0aLw"],
}


class MentionShown(Shown):
    """A post about one brand, judged; a human correction stands above the judge's word."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: str
    brand_id: str
    brand: str = Field(description="Slug of the brand.")
    brand_name: str
    source_id: str
    source: str = Field(description="Slug of the source.")
    post_id: str
    url: str
    title: str | None
    text: str = Field(description="At most 4,000 characters in a list, whole in a single mention.")
    is_text_cut: bool
    author: str | None
    kind: PostKind
    rating: float | None
    rating_scale: float | None
    language: str = Field(description="ISO 639-1; `und` when unknown.")
    sentiment: Sentiment
    severity: SeverityWord
    categories: list[Category]
    matched: list[str] = Field(description="Words that made this a post about the brand.")
    is_corrected: bool
    version: int = Field(description="The version of the post that was judged.")
    published_at: datetime | None
    published_quality: PublishedQuality
    edited_at: datetime | None
    deleted_at: datetime | None = Field(description="When it was gone from its source; kept here.")
    gone_reason: GoneReason | None = Field(
        description="A resolved complaint that was taken away ended well."
    )
    missing_since: datetime | None = Field(
        description="Its source no longer lists it; not known yet whether it is gone."
    )
    seen_at: datetime
    judged_at: datetime
    alerted_at: datetime | None
    delivered_at: datetime | None


class MentionPage(Page):
    """Newest first."""

    items: list[MentionShown]


class VersionShown(Shown):
    """What a post said before it was edited or deleted."""

    version: int
    title: str | None
    text: str
    rating: float | None
    seen_at: datetime


class SpanShown(Shown):
    """Characters ``evidence[start:end]`` of the judged text."""

    start: int
    end: int


class ReasonShown(Shown):
    """One thing in the text that raised the grade."""

    because: str
    category: Category | None = None
    spans: list[SpanShown] = Field(default_factory=list)
    weight: float


class JudgedShown(Shown):
    """What the judge said, whatever a person corrected."""

    sentiment: Sentiment
    sentiment_p: dict[str, float]
    severity: SeverityWord
    severity_p: dict[str, float]
    judge: str
    version: int = Field(description="The version of the post that it read.")
    judged_at: datetime
    is_rejudged: bool = Field(description="Graded anew later; nobody was told of this grade.")
    agrees_on_sentiment: bool | None = Field(
        description="With the person who corrected this version; null where nobody said."
    )
    agrees_on_severity: bool | None


class CorrectionShown(Shown):
    """What a person said instead."""

    sentiment: Sentiment | None
    severity: SeverityWord | None
    corrected_at: datetime
    version: int | None = Field(description="The version of the post that the person read.")


class MentionWhole(MentionShown):
    """One mention with everything that explains it."""

    model_config = ConfigDict(json_schema_extra={"example": WHOLE_EXAMPLE})

    story_id: str | None
    judged: JudgedShown
    judged_before: list[JudgedShown] = Field(
        description="What other judges said, and this one of earlier versions; latest first."
    )
    correction: CorrectionShown | None
    evidence: str = Field(description="The judged text, to which the spans of the reasons point.")
    reasons: list[ReasonShown]
    versions: list[VersionShown] = Field(description="Earlier texts, oldest first.")
    engagement: dict[str, Any]
    extra: dict[str, Any] = Field(
        description="What the source says beside the text, as last read: `case` is what became of"
        " a complaint, `reply` the firm's answer; the rest differs by source."
    )
    alert_ids: list[str]


class Correction(Wanted):
    """Say only what is wrong; null takes a correction back."""

    model_config = ConfigDict(json_schema_extra={"example": {"severity": "medium"}})

    sentiment: Sentiment | None = None
    severity: SeverityWord | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Correction:
        if not self.model_fields_set:
            raise ValueError("give a sentiment, a severity or both")
        return self


class MentionFilter(Wanted):
    """Which mentions; a repeated filter means "any of these"."""

    brand: Filter = Field([], description="Slug or id; repeat for several.")
    source: Filter = Field([], description="Slug or id; repeat for several.")
    sentiment: list[Sentiment] = Field([], max_length=3)
    severity: SeverityWord | None = Field(
        None, description="At least this level.", examples=["high"]
    )
    category: list[Category] = Field([], max_length=15)
    language: Filter = Field([], examples=[["pl"]])
    from_: Moment | None = Field(
        None,
        alias="from",
        description="Published (else seen) at or after.",
        examples=["2026-03-01"],
    )
    to: Moment | None = Field(None, description="Published (else seen) before.")
    q: Annotated[Text, Field(max_length=500)] | None = Field(
        None,
        description='Words, "a phrase", -without, or; marks and case do not matter.',
        examples=['refund -"gift card"'],
    )

    @field_validator("q")
    @classmethod
    def _blank_is_not_given(cls, q: str | None) -> str | None:
        return q if q and q.strip() else None


class MentionQuery(MentionFilter):
    """Which mentions, and which page of them."""

    limit: int = Field(50, ge=1, le=200)
    cursor: Annotated[Text, Field(max_length=100)] | None = None
