"""Dates of review sites, in five languages: read rightly or not at all."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.types import PublishedQuality
from crawlers.reading.dates import NO_DATE, first_date, read_date

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WARSAW = "Europe/Warsaw"


def read(text: str, *languages: str, zone: str = "UTC") -> datetime | None:
    return read_date(text, now=NOW, zone=zone, languages=languages)[0]


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("Original review: Sept. 28, 2018", "en-US", date(2018, 9, 28)),
        ("12 stycznia 2026 r.", "pl", date(2026, 1, 12)),
        ("5 listopada 2025", "pl", date(2025, 11, 5)),
        ("5. listopada 2025.", "hr", date(2025, 10, 5)),
        ("2026 m. sausio 9 d.", "lt", date(2026, 1, 9)),
        ("prieš 2 dienas", "lt", date(2026, 2, 28)),
        ("prije tjedan dana", "hr", date(2026, 2, 23)),
        ("wczoraj", "pl", date(2026, 3, 1)),
        ("24 grudnia", "pl", date(2025, 12, 24)),
        ("02/03/2026", "en-US", date(2026, 2, 3)),
        ("02/03/2026", "en-GB", date(2026, 3, 2)),
    ],
)
def test_a_day_is_read_as_its_language_means_it(text: str, language: str, day: date) -> None:
    moment, quality = read_date(text, now=NOW, languages=[language])
    assert moment is not None
    assert (moment.date(), quality) == (day, PublishedQuality.DAY)


@pytest.mark.parametrize(
    "text",
    [
        *("4.5", "may", "-1", "0", "00/05/2025", "31 kwietnia 2025", "12 reviews", "soon", "", "—"),
        *("0000-00-00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "3026-01-01", "in 3 days"),
        *("1" * 5000, "2026-03-1²", "1." * 20_000, "999999999 days ago", "x" * 1_000_000),
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_nothing_is_invented(text: str) -> None:
    started = time.process_time()
    assert read_date(text, now=NOW, languages=["en"]) == NO_DATE
    assert time.process_time() - started < 0.2


def test_a_day_that_two_languages_mean_differently_is_none_without_a_language() -> None:
    assert read("5 listopada 2025") is None
    assert read("03/02/2026") is None
    assert read("5 grudnia 2025") == datetime(2025, 12, 5, tzinfo=UTC)


def test_a_local_time_is_read_in_the_zone_of_the_site() -> None:
    assert read("1.03.2026, 14:05", "pl", zone=WARSAW) == datetime(2026, 3, 1, 13, 5, tzinfo=UTC)
    assert read("1.03.2026", "pl", zone=WARSAW) == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert read("29.03.2025 02:30", "pl", zone="no/such zone") is not None


def test_an_hour_that_a_clock_change_left_out_is_none() -> None:
    assert read("30.03.2025 02:30", "pl", zone=WARSAW) is None
    assert read("30.03.2025 03:00", "pl", zone=WARSAW) == datetime(2025, 3, 30, 1, tzinfo=UTC)


def test_what_is_a_little_ahead_is_kept_and_more_is_not() -> None:
    assert read("2026-03-02T12:30:00Z") is not None
    assert read("2026-03-04T12:00:00Z") is None


def _is_right(expected: str, tolerance: int, got: datetime | None, quality: str, zone: str) -> bool:
    if expected == "reject" or got is None:
        return expected == "reject" and got is None
    if expected.endswith("Z"):
        wanted = datetime.fromisoformat(expected)
        return quality == "exact" and abs((got - wanted).total_seconds()) <= tolerance
    local = got.astimezone(ZoneInfo(zone)).date()
    if len(expected) == len("2026-03"):
        return quality == "month" and local.isoformat().startswith(expected)
    return abs((local - date.fromisoformat(expected)).days) * 86400 <= tolerance


def test_all_lines_of_the_date_collection_are_right(shared: Path) -> None:
    lines = (shared / "fixtures/hostile/dates/dates.jsonl").read_text("utf-8").splitlines()
    wrong: list[Any] = []
    for line in map(json.loads, lines):
        now = datetime.fromisoformat(line["now"])
        got, quality = read_date(line["text"], now=now, zone=line["tz"], languages=[line["lang"]])
        answers = [line["expect"], *line.get("also_ok", [])]
        if not any(_is_right(a, line["tolerance_s"], got, quality, line["tz"]) for a in answers):
            wrong.append((line["id"], got))
    assert not wrong
    assert len(lines) == 296


def test_the_first_text_that_is_a_date_counts() -> None:
    told = (None, "", "soon", "2026-02-27", "2026-02-28")
    assert first_date(told, now=NOW)[0] == datetime(2026, 2, 27, tzinfo=UTC)
    assert first_date(("soon", None), now=NOW) == NO_DATE
