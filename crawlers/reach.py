"""How far back a run reads: down to the newest post of the last run, less an overlap.

Reading a page twice is harmless; a post that appeared late, out of order or was edited is only
seen when its page is read again. So runs always re-read what is younger than the overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from core.types import Post
from crawlers.contract import Cursor

_NEWEST = "newest"


def newest_of(cursor: Cursor) -> datetime | None:
    """The time that a cursor remembers; None on the first run, or when it is unreadable."""
    try:
        moment = datetime.fromisoformat(str(cursor[_NEWEST]))
    except (KeyError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def moved(ahead: Cursor, posts: Iterable[Post], *, now: datetime) -> Cursor:
    """The cursor after these posts; a date in the future must not make later posts look old."""
    times = [post.published_at for post in posts if post.published_at is not None]
    known = newest_of(ahead)
    newest = max([*times, *([known] if known else [])], default=None)
    return {**ahead, _NEWEST: min(newest, now).isoformat()} if newest else dict(ahead)


def is_reached(cursor: Cursor, posts: Iterable[Post], *, overlap: timedelta) -> bool:
    """Whether a page lies wholly below the cursor; undated posts decide nothing."""
    newest = newest_of(cursor)
    times = [post.published_at for post in posts if post.published_at is not None]
    return newest is not None and bool(times) and max(times) < newest - overlap


def is_newest_first(posts: Iterable[Post]) -> bool:
    """Whether the posts of a page stand in that order, as far as they are dated."""
    times = [post.published_at for post in posts if post.published_at is not None]
    return all(one >= other for one, other in pairwise(times))
