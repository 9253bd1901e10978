"""Who asked for what: the proof that a post came over HTTP."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime

MOST_LINES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request and what it was given."""

    at: datetime
    method: str
    path: str  #: with its query
    user_agent: str
    status: int
    posts: tuple[str, ...]  #: external ids that the body carried


class Ledger:
    """The latest requests, in the order of their answers; safe to use from many threads."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=MOST_LINES)
        self._lock = threading.Lock()

    def note(self, line: Line) -> None:
        """Write one line."""
        with self._lock:
            self._lines.append(line)

    def lines(self) -> list[Line]:
        """A copy of all lines."""
        with self._lock:
            return list(self._lines)

    def as_json(self) -> list[dict[str, object]]:
        """All lines as JSON values."""
        return [asdict(line) | {"at": line.at.isoformat()} for line in self.lines()]
