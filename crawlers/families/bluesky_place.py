"""How far Bluesky's stream was read, and what was reported of its last seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crawlers.contract import Cursor
from crawlers.families.bluesky_events import Event, is_time
from crawlers.reading.json_body import count, listed

#: Of servers that count by time only, what is written at once may come in another order.
OVERLAP: Final = 5 * 10**6
_MOST_TOLD = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the stream."""

    time_us: int  #: of the newest event
    number: int | None = None  #: the server's own of the last event, where it gives one
    told: tuple[str, ...] = ()  #: names of the events that were reported within the overlap

    @classmethod
    def stored(cls, cursor: Cursor) -> Place | None:
        """As a cursor holds it; None on the first run."""
        time_us, told = cursor.get("time_us"), listed(cursor.get("told"))
        if time_us is None or not is_time(time_us):
            return None
        names = tuple(one for one in told if isinstance(one, str))
        return cls(time_us=time_us, number=count(cursor.get("number")), told=names)

    def to_store(self) -> Cursor:
        """For a cursor."""
        return {"time_us": self.time_us, "number": self.number, "told": list(self.told)}

    @property
    def since(self) -> int:
        """From when on it is read again."""
        return self.time_us - OVERLAP

    def by_time(self) -> Place:
        """The same without the server's number."""
        return Place(time_us=self.time_us, told=self.told)

    def moved(self, events: Sequence[Event], *, told: Iterable[str], now: int) -> Place:
        """The place after a page; a time from the future must not make later events look old."""
        newest = max(self.time_us, *(min(event.time_us, now) for event in events))
        recent = {one for one in (*self.told, *told) if _time_of(one) >= newest - OVERLAP}
        kept = sorted(recent)[-_MOST_TOLD:]
        return Place(time_us=newest, number=events[-1].number, told=tuple(kept))

    def is_behind(self, other: Place) -> bool:
        """Whether another place is further on."""
        return other.time_us > self.time_us or (other.number or 0) > (self.number or 0)


def _time_of(name: str) -> int:
    digits = name.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0
