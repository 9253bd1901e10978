"""How fast: the stamps of a mention or an alert, as steps with the time between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """One stamp and how long after the one before it came."""

    name: str
    at: datetime
    after_seconds: float | None  #: None for the first one, and where clocks disagree


def steps(stamps: Iterable[tuple[str, datetime | None]]) -> list[Step]:
    """The stamps that were reached, in the order given."""
    found: list[Step] = []
    for name, at in stamps:
        if at is None:
            continue
        after = (at - found[-1].at).total_seconds() if found else None
        # A site's clock may run ahead of ours; less than nothing is not a speed.
        found.append(Step(name, at, after if after is None or after >= 0 else None))
    return found


def whole(found: Sequence[Step]) -> float | None:
    """Seconds from the first stamp to the last; None with fewer than two."""
    if len(found) < 2 or found[-1].at < found[0].at:
        return None
    return (found[-1].at - found[0].at) / timedelta(seconds=1)
