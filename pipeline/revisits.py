"""When a kept post is asked for again by itself: often while it is young, then never; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Ages at which a post is visited; each three times the one before.
AGES = (
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=9),
    timedelta(hours=27),
    timedelta(days=3),
    timedelta(days=9),
)
#: A visit that would come soon after a look is left out: ages grow by this factor at least.
_LEAST_GROWTH = 1.5
#: How often a missing post is asked for whose site gives no clear answer.
_AGAIN = timedelta(hours=6)
#: What the site was refused for, or broke on, is left alone for so long.
PUT_OFF = timedelta(hours=1)


def next_visit(born_at: datetime, *, now: datetime) -> datetime | None:
    """When to ask again for a post that was just looked at; None when it is too old.

    Visits that were missed are not made up for.
    """
    age = max(now - born_at, timedelta())
    later = (born_at + step for step in AGES if step > age and step >= _LEAST_GROWTH * age)
    return next(later, None)


def next_look(missing_since: datetime, *, now: datetime) -> datetime | None:
    """When to ask again for a missing post of which the site said nothing; None: not again."""
    return now + _AGAIN if now - missing_since < AGES[-1] else None
