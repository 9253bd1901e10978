"""Dates as sites write them; what is not surely a date is none, and nothing is invented."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.fold import fold
from core.types import PublishedQuality
from crawlers.reading.date_shapes import (
    Context,
    Found,
    epoch,
    iso,
    named_day,
    numeric,
    relative,
    worded,
)

#: A date with its quality; ``(None, UNKNOWN)`` when the text says no date that we believe.
ReadDate = tuple[datetime | None, PublishedQuality]

NO_DATE: ReadDate = (None, PublishedQuality.UNKNOWN)
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
LEEWAY = timedelta(days=1)  # clocks differ, and a date from east of us is ahead
_LONGEST = 160
_SHAPES: Sequence[Callable[[str, Context], Found | None]] = (
    epoch,
    iso,
    numeric,
    relative,
    named_day,
    worded,
)
_TAGS = re.compile(r"<[^<>]*>")


def read_date(
    text: str | None, *, now: datetime, zone: str = "UTC", languages: Sequence[str] = ()
) -> ReadDate:
    """Read a date; a day or month is the begin of that day in ``zone``, given in UTC.

    ``languages`` are tags such as ``en-US`` in order of likelihood; without any, a text that
    means two dates in two languages (03/04/2026, "5 listopada") is none.
    """
    folded = _folded(text)
    return _read_folded(folded, now, zone, tuple(languages)) if folded else NO_DATE


@lru_cache(maxsize=4096)  # the posts of a page share their days, and are asked for them twice
def _read_folded(text: str, now: datetime, zone: str, languages: tuple[str, ...]) -> ReadDate:
    context = Context(now=now.astimezone(_zone(zone)), languages=tuple(map(str.lower, languages)))
    for shape in _SHAPES:
        found = shape(text, context)
        if found is not None:
            return _placed(found, context)
    return NO_DATE


def first_date(
    texts: Iterable[str | None],
    *,
    now: datetime,
    zone: str = "UTC",
    languages: Sequence[str] = (),
) -> ReadDate:
    """The first of several texts that is a date; ``NO_DATE`` when none is."""
    dates = (read_date(text, now=now, zone=zone, languages=languages) for text in texts)
    return next((found for found in dates if found[0] is not None), NO_DATE)


def _folded(text: str | None) -> str | None:
    """Small letters without marks, single blanks; None for what cannot be a date."""
    if not text:
        return None
    if len(text) > 100_000:
        return None
    bare = " ".join((_TAGS.sub(" ", text) if "<" in text else text).split())
    if not bare or len(bare) > _LONGEST:
        return None
    if not bare.isascii() and any(unicodedata.category(sign) == "No" for sign in bare):
        return None  # a superscript two is no digit, though folding would make it one
    return " ".join(fold(bare).split())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _placed(found: Found, context: Context) -> ReadDate:
    if isinstance(found.when, datetime):
        moment = _instant(found.when, context.zone)
    else:
        moment = _instant(datetime.combine(found.when, time()), context.zone, must_exist=False)
    if moment is None or not EARLIEST <= moment <= context.now + LEEWAY:
        return NO_DATE
    return moment, found.quality


def _instant(moment: datetime, zone: ZoneInfo, *, must_exist: bool = True) -> datetime | None:
    """A local time in UTC; None for the hour that a clock change leaves out."""
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        there = moment.replace(tzinfo=zone).astimezone(UTC)
        back = there.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return None
    return there if back == moment or not must_exist else None
