"""Mentions over time as stacked bars: numbers in, rectangles out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.types import Severity

WIDTH, HEIGHT, GAP = 240.0, 48.0, 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle, in units of the drawing; ``severity`` is the word that colours it."""

    x: float
    y: float
    width: float
    height: float
    severity: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """Mentions of one stretch of time, by level."""

    begins_at: datetime
    counts: Mapping[int, int]

    @property
    def total(self) -> int:
        """All levels together."""
        return sum(self.counts.values())


def bars(buckets: Sequence[Bucket]) -> list[Bar]:
    """Stack each bucket, the worst on top where the eye looks first; empty ones draw nothing."""
    highest = max((bucket.total for bucket in buckets), default=0)
    if highest == 0:
        return []
    step = WIDTH / len(buckets)
    found: list[Bar] = []
    for place, bucket in enumerate(buckets):
        bottom = HEIGHT
        for level in Severity:
            # The least bar must still be seen beside a storm.
            height = bucket.counts.get(level, 0) / highest * (HEIGHT - 2)
            if height:
                height = max(1.5, height)
                bottom -= height
                found.append(
                    Bar(
                        x=round(place * step, 2),
                        y=round(max(0.0, bottom), 2),
                        width=round(step - GAP, 2),
                        height=round(height, 2),
                        severity=level.label,
                    )
                )
    return found
