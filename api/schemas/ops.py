"""Dead letters and health: what is broken."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.lists import ListQuery
from api.shown import Page, Shown, Text


class DeadLetterShown(Shown):
    """What could not be processed, with its reason."""

    id: str
    stage: str
    source_id: str | None
    run_id: str | None
    post_id: str | None
    url: str | None
    reason: str
    detail: dict[str, Any]
    created_at: datetime


class DeadLetterPage(Page):
    """Newest first."""

    items: list[DeadLetterShown]


class DeadLetterQuery(ListQuery):
    """Filters of a list of dead letters."""

    stage: Text | None = Field(None, max_length=40, examples=["parse"])
    source_id: Text | None = Field(None, max_length=40)


class ProcessesShown(Shown):
    """The processes of one role."""

    role: str
    running: int = Field(description="With a sign of life in the last 20 seconds.")
    silent: int = Field(description="Without one, and not stopped cleanly.")
    youngest_beat_seconds: float | None


class QueueShown(Shown):
    """One queue."""

    queue: str
    waiting: int = Field(description="Due now; counted up to 10,000.")
    oldest_seconds: float | None = Field(description="How long the oldest due job waits.")


class RejudgingShown(Shown):
    """Old mentions on their way to the grade of today's judge."""

    state: str = Field(description="`running`, `waiting` or `interrupted`.")
    judge: str
    done: int
    could_not_be_judged: int
    total: int = Field(description="Outdated mentions when it began.")
    seconds_left: float | None = Field(description="At the pace so far; null when unknown.")


class HealthShown(Shown):
    """Whether this installation works; it names no host, no workspace and no secret."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "status": "ok",
                "database": "ok",
                "queues": [{"queue": "judge", "waiting": 0, "oldest_seconds": None}],
                "processes": [
                    {
                        "role": "scheduler",
                        "running": 1,
                        "silent": 0,
                        "youngest_beat_seconds": 1.4,
                    }
                ],
                "oldest_unjudged_seconds": None,
                "rejudging": {
                    "state": "running",
                    "judge": "neural-1+1a2b3c4d",
                    "done": 1200,
                    "could_not_be_judged": 0,
                    "total": 5000,
                    "seconds_left": 95.0,
                },
                "checked_at": "2026-03-02T12:00:00Z",
            }
        }
    )

    status: Literal["ok", "degraded", "down"]
    database: Literal["ok", "down"]
    queues: list[QueueShown]
    processes: list[ProcessesShown]
    oldest_unjudged_seconds: float | None = Field(
        description="Age of the oldest post that waits for a judgement."
    )
    rejudging: RejudgingShown | None = Field(description="The run of `goodname rejudge`, if any.")
    checked_at: datetime
