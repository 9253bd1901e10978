"""The shapes in which a folded text may be a date; each returns None when it is not that shape.

A shape that fits but holds an impossible date (31 April) returns None as well: later shapes are
all of a different form, so it cannot turn into another day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from core.types import PublishedQuality
from crawlers.reading import date_words as words

EXACT, DAY, MONTH = PublishedQuality.EXACT, PublishedQuality.DAY, PublishedQuality.MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a date is read against."""

    now: datetime  #: in the zone of the site
    languages: tuple[str, ...]  #: small-letter tags; empty means any

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the site."""
        assert isinstance(self.now.tzinfo, ZoneInfo)  # noqa: S101 - read_date made it so
        return self.now.tzinfo

    @property
    def bare_languages(self) -> tuple[str, ...]:
        """The languages that we have words for; all of them when none is named."""
        bare = tuple(tag.partition("-")[0] for tag in self.languages)
        return tuple(tag for tag in bare if tag in words.MONTHS) or tuple(words.MONTHS)


@dataclass(frozen=True, slots=True)
class Found:
    """A date as written: aware, or local to the site when naive; a bare date without a time."""

    when: datetime | date
    quality: PublishedQuality


# A label in front of a date: letters, blanks and marks, no digits ("Date of experience: ").
_LABEL = r"(?:[^\d+-]*[^a-z\d+-])?"
_TIME = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d{1,12})?)?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?(?: ?(?:h|uhr|val\.|godz\.)(?![a-z]))?"
)
_ZONE = r"(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}|z|[a-z]{2,4})(?: \(?utc\)?)?"
_AFTER = r"(?:(?:,? (?:(?:at|o|u|um|godz\.) )?|t|, )" + _TIME + r"(?: ?" + _ZONE + r")?)?"

_EPOCH = re.compile(r"(?:/date\()?(?P<digits>\d{9,19})(?:\.\d{1,9})?(?:\)/)?")
_ISO = re.compile(
    _LABEL + r"(?P<year>\d{4})(?P<mark>[-./])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _AFTER
)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z")
_NUMERIC = re.compile(
    _LABEL
    + r"(?P<first>\d{1,2})(?P<mark>[./-]) ?(?P<second_part>\d{1,2})(?P=mark) ?"
    + r"(?P<year>\d{4}|\d{2})\.?(?: (?:r|g)\.)?"
    + _AFTER
)
_NAMED = re.compile(_LABEL + r"(?P<word>[a-z]{3,12})" + _AFTER)
_YEAR = r"(?P<year>\d{4}|(?<=[a-z. ])\d{2})(?!\d)"
_MONTH_NAME = r"(?P<month>[a-z]{1,12})\.?"
_DAY_NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WORDED = tuple(
    re.compile(_LABEL + shape)
    for shape in (
        _DAY_NUMBER + r"\.? " + _MONTH_NAME + r"(?:,? " + _YEAR + r"\.?(?: (?:r|g)\.)?)?" + _AFTER,
        _MONTH_NAME + r" " + _DAY_NUMBER + r"(?:,? " + _YEAR + r")?" + _AFTER,
        _MONTH_NAME + r" " + _DAY_NUMBER + r" " + _TIME + r"(?: " + _ZONE + r")? (?P<year>\d{4})",
        r"(?:(?P<year>\d{4}) m\. )?" + _MONTH_NAME + r" (?P<day>\d{1,2}) d\." + _AFTER,
        _MONTH_NAME + r" (?P<year>\d{4})(?: (?:r|g)\.)?",
    )
)
_AGO = tuple(
    (language, re.compile(r"(?:(?:[a-z ]*:|updated|posted|edited|reviewed) ?)?" + shape))
    for language, shape in words.AGO
)


def epoch(text: str, _context: Context) -> Found | None:
    """Seconds, milli-, micro- or nanoseconds since 1970; other counts of digits are no date."""
    found = _EPOCH.fullmatch(text)
    if found is None:
        return None
    divisor = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}.get(len(found["digits"]))
    if divisor is None:
        return None
    return Found(datetime.fromtimestamp(int(found["digits"]) // divisor, tz=UTC), EXACT)


def iso(text: str, _context: Context) -> Found | None:
    """Year first, as machines and Lithuanians write it."""
    if basic := _BASIC.fullmatch(text):
        year, month, day, *clock = map(int, basic.groups())
        day_found = _date(year, month, day)
        moment = _clock(*clock) if day_found else None
        if day_found is None or moment is None:
            return None
        return Found(datetime.combine(day_found, moment, UTC), EXACT)
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    return _with_time(_date(int(found["year"]), int(found["month"]), int(found["day"])), found)


def numeric(text: str, context: Context) -> Found | None:
    """Three numbers, year last. With full stops the day is first; with slashes it depends."""
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return None
    first, second = int(found["first"]), int(found["second_part"])
    order = _order(first, second, mark=found["mark"], languages=context.languages)
    if order is None:
        return None
    day, month = order
    return _with_time(_date(_year(found["year"]), month, day), found)


def _order(
    first: int, second: int, *, mark: str, languages: tuple[str, ...]
) -> tuple[int, int] | None:
    is_month_first = mark != "." and "en-us" in languages[:1]
    if is_month_first and first <= 12:
        return second, first
    is_certain = mark == "." or first > 12 or first == second
    is_day_first = bool(languages) and languages[0] not in ("en", "en-us")
    return (first, second) if is_certain or is_day_first else None


def relative(text: str, context: Context) -> Found | None:
    """So long ago: minutes and hours are elapsed time, days and more are days of the calendar."""
    if text in words.JUST_NOW:
        return Found(context.now.astimezone(UTC), EXACT)
    for language, shape in _AGO:
        if language not in context.bare_languages:
            continue
        found = shape.fullmatch(text)
        if found is None:
            continue
        span = _span(found["count"], found["unit"], words.UNITS[language])
        if span is not None:
            return _back(context.now, *span)
    return None


def _span(count: str | None, unit: str, units: Mapping[str, str]) -> tuple[float, str] | None:
    if not count and unit in words.WHOLE_UNITS:
        return words.WHOLE_UNITS[unit]
    name = units.get(unit)
    if name is None:
        return None
    if not count:
        return 1, name
    number = float(count) if count.isdigit() and len(count) < 6 else words.COUNTS.get(count)
    return (number, name) if number is not None else None


def _back(now: datetime, count: float, unit: str) -> Found | None:
    seconds = {words.SECOND: 1, words.MINUTE: 60, words.HOUR: 3600}.get(unit)
    try:
        if seconds is not None:
            return Found(now.astimezone(UTC) - timedelta(seconds=seconds * count), EXACT)
        if unit in (words.DAY, words.WEEK):
            days = count * (7 if unit == words.WEEK else 1)
            return Found(now.date() - timedelta(days=int(days)), DAY)
        return Found(
            _months_before(now.date(), int(count * (12 if unit == words.YEAR else 1))), MONTH
        )
    except (OverflowError, ValueError):
        return None


def _months_before(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        if last <= day.day and (found := _date(years, month + 1, last)):
            return found
    raise ValueError("before the calendar begins")


def named_day(text: str, context: Context) -> Found | None:
    """Today, yesterday and the day before, with or without a time."""
    found = _NAMED.fullmatch(text)
    ago = words.DAYS_AGO.get(found["word"]) if found else None
    if found is None or ago is None:
        return None
    return _with_time(context.now.date() - timedelta(days=ago), found)


def worded(text: str, context: Context) -> Found | None:
    """A month by its name; without a year it is the nearest in the past."""
    for shape in _WORDED:
        found = shape.fullmatch(text)
        month = _month(found["month"], context) if found else None
        if found is None or month is None:
            continue
        parts = found.groupdict()
        if "day" not in parts:
            first = _date(int(parts["year"]), month, 1)
            return Found(first, MONTH) if first else None
        day = int(parts["day"])
        if parts["year"]:
            return _with_time(_date(_year(parts["year"]), month, day), found)
        return _with_time(_nearest_past(month, day, context.now), found)
    return None


def _month(name: str, context: Context) -> int | None:
    meant = [words.MONTHS[tag].get(name) for tag in context.bare_languages]
    numbers = list(dict.fromkeys(number for number in meant if number is not None))
    if not numbers and "pl" in context.bare_languages:
        return words.ROMAN_MONTHS.get(name)
    is_clear = len(numbers) == 1 or (bool(numbers) and bool(context.languages))
    return numbers[0] if is_clear else None


def _nearest_past(month: int, day: int, now: datetime) -> date | None:
    for year in range(now.year, now.year - 9, -1):
        found = _date(year, month, day)
        if found is not None and found <= now.date() + timedelta(days=1):
            return found
    return None


def _with_time(day: date | None, found: re.Match[str]) -> Found | None:
    parts = found.groupdict()
    if day is None or parts.get("hour") is None:
        return Found(day, DAY) if day else None
    hour, minute, second = (int(parts[key] or 0) for key in ("hour", "minute", "second"))
    if parts["half"] and hour <= 12:
        hour = hour % 12 + (12 if parts["half"] == "p" else 0)
    is_end_of_day, is_leap = (hour, minute, second) == (24, 0, 0), second == 60
    clock = _clock(0 if is_end_of_day else hour, minute, 59 if is_leap else second)
    zone = _offset(parts["zone"]) if parts["zone"] else None
    if clock is None or (parts["zone"] and zone is None):
        return None
    later = timedelta(days=int(is_end_of_day), seconds=int(is_leap))
    return Found(datetime.combine(day, clock, zone) + later, EXACT)


def _offset(text: str) -> timezone | None:
    if text in words.ZONES:
        return timezone(timedelta(hours=words.ZONES[text]))
    if text[0] not in "+-":
        return None
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 14 or minutes > 59:
        return None
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number < 70 else 1900)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(hour: int, minute: int, second: int) -> time | None:
    try:
        return time(hour, minute, second)
    except ValueError:
        return None
