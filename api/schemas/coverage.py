"""What has been seen of a period, and what not, and why; and sources that are not heard."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.lists import ListQuery
from api.schemas.mentions import Filter
from api.shown import Moment, Page, Shown, Text, Wanted

_GAP: dict[str, Any] = {
    "source_id": "src_JgaEBgznCp",
    "source": "complaint-board",
    "since": "2026-03-02T03:00:00Z",
    "until": "2026-03-02T05:00:00Z",
    "state": "unread",
    "reason": "blocked: HTTP 403: the site refuses",
}
EXAMPLE: dict[str, Any] = {
    "since": "2026-03-01T12:00:00Z",
    "until": "2026-03-02T12:00:00Z",
    "share_read": 0.9583,
    "hours": {"read": 46, "partly": 0, "unread": 2, "unknown": 0},
    "gaps": [_GAP],
    "gaps_left_out": 0,
}
State = Literal["read", "partly", "unread", "unknown"]


class HoursShown(Shown):
    """Hours of sources that are over: ten sources have 240 in a day."""

    read: int
    partly: int
    unread: int
    unknown: int = Field(description="Of so long ago that it is no longer known; never quiet.")


class GapShown(Shown):
    """Hours in a row of one source that were not wholly read."""

    source_id: str
    source: str
    since: datetime
    until: datetime
    state: str
    reason: str | None = Field(description="Why, in words.")


class CoverageShown(Shown):
    """Which part of a period has really been seen; what is not seen is not counted as quiet."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    since: datetime
    until: datetime
    share_read: float | None = Field(
        description="Wholly read hours of all that are over and known; null when there are none."
    )
    hours: HoursShown
    gaps: list[GapShown] = Field(description="Newest first, at most 50.")
    gaps_left_out: int


class PeriodShown(Shown):
    """One hour or day of one source."""

    begins_at: datetime
    state: State = Field(description="Of a day: `read` when each of its hours was.")
    reason: str | None = Field(description="Of a day: why its first unread hour was not read.")
    share_read: float | None = Field(description="null: no longer known.")


class SourceCoverageShown(Shown):
    """One source over the period."""

    source_id: str
    source: str
    is_enabled: bool
    share_read: float | None
    periods: list[PeriodShown] = Field(description="Oldest first; the last may not be over.")


class CoverageWhole(CoverageShown):
    """Source by source, hour by hour or day by day."""

    resolution: Literal["hour", "day"]
    sources: list[SourceCoverageShown]

    model_config = ConfigDict(
        json_schema_extra={
            "example": EXAMPLE
            | {
                "resolution": "hour",
                "sources": [
                    {
                        "source_id": "src_JgaEBgznCp",
                        "source": "complaint-board",
                        "is_enabled": True,
                        "share_read": 0.9583,
                        "periods": [
                            {
                                "begins_at": "2026-03-02T03:00:00Z",
                                "state": "unread",
                                "reason": _GAP["reason"],
                                "share_read": 0.0,
                            }
                        ],
                    }
                ],
            }
        }
    )


class CoverageQuery(Wanted):
    """Which period, and of what."""

    source: Filter = Field([], description="Slug or id; repeat for several. All by default.")
    brand: Filter = Field(
        [], description="Slug or id. Every source is read for every brand, so it narrows nothing."
    )
    since: Moment | None = Field(None, description="7 days before `until` by default.")
    until: Moment | None = Field(None, description="Now by default.")
    resolution: Literal["hour", "day"] = "hour"


class OperationsAlertShown(Shown):
    """A source that is not heard."""

    id: str
    source_id: str
    source: str
    outcome: str = Field(
        description="Of the newest run; `late` when none ended; `switched_off` when the alert was"
        " closed because its source was."
    )
    reason: str = Field(
        description="In words; also where it was switched off, and what was before."
    )
    runs: int = Field(description="In a row that were not ok.")
    opened_at: datetime
    seen_at: datetime
    resolved_at: datetime | None = Field(
        description="When it was heard again or switched off; null: it is still not heard."
    )


class OperationsAlertPage(Page):
    """Newest first."""

    items: list[OperationsAlertShown]


class OperationsAlertQuery(ListQuery):
    """Filters of a list of operations alerts."""

    is_open: bool | None = Field(None, description="True: only sources that are not heard now.")
    source_id: Text | None = Field(None, max_length=40)
