"""How many mentions there are, and on how much hearing the figure stands."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.coverage import EXAMPLE as COVERAGE
from api.schemas.coverage import CoverageShown
from api.schemas.mentions import MentionFilter
from api.shown import Moment, Shown


class CountQuery(MentionFilter):
    """The filters of the list; without a beginning, the 7 days before the end."""

    from_: Moment | None = Field(None, alias="from", description="7 days before `to` by default.")
    to: Moment | None = Field(None, description="Now by default.")


class CountsShown(Shown):
    """Mentions of a period, and which part of it has really been seen."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total": 12,
                "by_severity": {"critical": 1, "high": 2, "medium": 4, "low": 3, "none": 2},
                "by_sentiment": {"negative": 7, "neutral": 3, "positive": 2},
                "coverage": COVERAGE,
            }
        }
    )

    total: int
    by_severity: dict[str, int] = Field(description="Worst first.")
    by_sentiment: dict[str, int]
    coverage: CoverageShown
