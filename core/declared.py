"""What a settings file may declare: brands, sources, rules and receivers.

They are upserted at start and marked *managed by the file*; the API refuses to change them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from core.types import ReceiverKind, Sentiment, Severity

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Entry(BaseModel):
    """One declared thing; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BrandEntry(Entry):
    """``[[brands]]``: who is watched."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    aliases: list[str] = []
    query: str | None = None
    excluded: list[str] = []
    domains: list[str] = []
    handles: list[str] = []


class SourceEntry(Entry):
    """``[[sources]]``: one place that is crawled."""

    slug: Slug
    kind: str
    params: dict[str, Any] = {}
    interval_seconds: Annotated[int, Field(gt=0)] = 900
    time_zone: str = "UTC"
    is_enabled: bool = True


class ReceiverEntry(Entry):
    """``[[receivers]]``: who is told."""

    slug: Slug
    kind: ReceiverKind
    address: str = ""
    secret: SecretStr | None = None
    is_operations: bool = False  #: told of sources that are not heard, not of mentions

    @model_validator(mode="after")
    def _has_address(self) -> ReceiverEntry:
        if self.kind is not ReceiverKind.LOG and not self.address:
            raise ValueError(f"a {self.kind} receiver needs an address")
        return self


class RuleEntry(Entry):
    """``[[rules]]``: when to speak up, and to whom."""

    slug: Slug
    brand: str | None = None
    sentiments: list[Sentiment] = [Sentiment.NEGATIVE]
    at_once: str = "high"
    grouped: str = "medium"
    group_wait_seconds: Annotated[int, Field(ge=0)] = 900
    receivers: list[str] = []

    @field_validator("at_once", "grouped")
    @classmethod
    def _is_severity(cls, word: str) -> str:
        return Severity.of(word).label
