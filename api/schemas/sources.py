"""Sources, their kinds and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field

from api.shown import Page, Shown, Text, Wanted
from core.declared import Slug
from core.types import RunOutcome

_EXAMPLE: dict[str, Any] = {
    "slug": "board-en",
    "kind": "feed",
    "params": {"url": "https://board.example/feed.xml"},
    "interval_seconds": 900,
    "time_zone": "UTC",
    "is_enabled": True,
}


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("an IANA time zone is wanted, e.g. Europe/Warsaw") from None
    return name


Zone = Annotated[Text, Field(max_length=64), AfterValidator(_known_zone)]
Interval = Annotated[int, Field(gt=0, le=30 * 86_400)]


class NewSource(Wanted):
    """A place to crawl from now on."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    slug: Slug
    kind: Text = Field(max_length=64, description="One of /v1/source-kinds.")
    params: dict[str, Any] = Field({}, description="As the kind's `config_schema` says.")
    interval_seconds: Interval = 900
    time_zone: Zone = Field("UTC", description="Of times that the site writes without a zone.")
    is_enabled: bool = True


class SourceChange(Wanted):
    """Say only what changes; slug and kind stay."""

    model_config = ConfigDict(json_schema_extra={"example": {"interval_seconds": 300}})

    params: dict[str, Any] | None = None
    interval_seconds: Interval | None = None
    time_zone: Zone | None = None
    is_enabled: bool | None = None


class SourceShown(Shown):
    """One place that is crawled, for all workspaces at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _EXAMPLE
            | {
                "id": "src_JgaEBgznCp",
                "next_due_at": "2026-03-02T12:15:00Z",
                "last_outcome": "ok",
                "last_reason": None,
                "last_run_at": "2026-03-02T12:00:00Z",
                "failures": 0,
                "managed_by": "api",
                "created_at": "2026-03-01T08:00:00Z",
                "updated_at": "2026-03-01T08:00:00Z",
            }
        }
    )

    id: str
    slug: str
    kind: str
    params: dict[str, Any] = Field(
        description="Who may not change it sees addresses without user and values of the query."
    )
    interval_seconds: int
    time_zone: str
    is_enabled: bool
    next_due_at: datetime | None = Field(description="null: due at once.")
    last_outcome: RunOutcome | None = Field(
        description="`blocked` and `drift` are not errors of ours; null: not run yet."
    )
    last_reason: str | None
    last_run_at: datetime | None
    failures: int = Field(description="Runs in a row that were not ok.")
    managed_by: str
    created_at: datetime
    updated_at: datetime


class SourcePage(Page):
    """Newest first."""

    items: list[SourceShown]


class RunAsked(Shown):
    """What became of the wish to crawl now."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"source_id": "src_JgaEBgznCp", "is_queued": True, "detail": "Queued."}
        }
    )

    source_id: str
    is_queued: bool = Field(description="False: a crawl of this source waits already.")
    detail: str


class RunShown(Shown):
    """One run of one source."""

    id: str
    source_id: str
    outcome: RunOutcome
    reason: str | None
    started_at: datetime
    finished_at: datetime | None
    pages: int
    posts_seen: int
    posts_new: int
    posts_changed: int
    dead_letters: int
    coverage: dict[str, Any]


class RunPage(Page):
    """Newest first."""

    items: list[RunShown]


class SourceKindShown(Shown):
    """A sort of source that this installation can crawl."""

    kind: str
    title: str
    config_schema: dict[str, Any] = Field(description="JSON Schema of `params`.")
    minimum_interval_seconds: int
    is_verified: bool = Field(description="Checked against recordings of the real site.")
    family: str = Field(description="How its pages carry their posts, e.g. `json_api`.")
    needs_opt_in: bool = Field(description="Off until the operator names it in the settings.")
    is_opted_in: bool
    secrets: dict[str, str] = Field(
        description="Parts of the credential that it needs, each with what it is."
    )


class SourceKindList(Shown):
    """By name."""

    items: list[SourceKindShown]
