"""How often a linked page was asked for that could not be read; it travels in the cursor.

What is broken may be mended within the hour, so a page is asked for in some runs more, and then
left alone.
"""

from __future__ import annotations

from typing import Final

from crawlers.contract import Cursor
from crawlers.reading.json_body import at, count

TRIES: Final = 3
_TRIED: Final = "tried"
_REMEMBERED: Final = 500


def tried(ahead: Cursor, name: str) -> Cursor:
    """The cursor after one more try."""
    tries = _tries(ahead)
    others = [(key, number) for key, number in tries.items() if key != name]
    kept = [*others, (name, tries.get(name, 0) + 1)]
    return {**ahead, _TRIED: dict(kept[-_REMEMBERED:])}


def settled(ahead: Cursor, name: str) -> Cursor:
    """The cursor without the tries of a page, which need no counting any more."""
    left = {key: number for key, number in _tries(ahead).items() if key != name}
    others = {key: value for key, value in ahead.items() if key != _TRIED}
    return {**others, _TRIED: left} if left else others


def is_given_up(ahead: Cursor, name: str) -> bool:
    """Whether it was tried often enough."""
    return _tries(ahead).get(name, 0) >= TRIES


def owed(ahead: Cursor) -> list[str]:
    """Pages that are to be tried again."""
    return [name for name, number in _tries(ahead).items() if number < TRIES]


def _tries(ahead: Cursor) -> dict[str, int]:
    return {str(name): count(number) or 0 for name, number in (at(ahead, _TRIED) or {}).items()}
