"""When a limit of requests ends, in all the ways in which sites write it, for whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.families.refusals import spent
from crawlers.reading.limits import asked_wait, limit_ends
from tests.crawlers.talking import answer

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_IN_A_MINUTE = int(NOW.timestamp()) + 60


@pytest.mark.parametrize("prefix", ["x-rate-limit", "x-ratelimit", "ratelimit"])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("525", 526),
        ("0.4", 1.4),
        ("30, 30;w=60", 31),
        (str(_IN_A_MINUTE), 61),
        (str(_IN_A_MINUTE * 1000), 61),
        ("2026-03-02T12:05:00.290188Z", 300.290188),
        ("2026-03-02T13:05:00+01:00", 300),
        ("2026-03-02T12:05:00", 300),
        ("Mon, 02 Mar 2026 12:05:00 GMT", 300),
        (str(_IN_A_MINUTE + 100_000), 86_400),
        ("99999999999", 86_400),
        (str(_IN_A_MINUTE - 120), None),
        ("99999999999999", None),
        ("٥٢٥", None),
        ("5_2", None),
        ("soon", None),
        ("1e300", None),
        ("-5", None),
        ("", None),
    ],
)
def test_the_end_of_a_limit_means_the_same_to_the_engine_and_to_a_spider(
    prefix: str, said: str, seconds: float | None
) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    headers = {f"{prefix}-reset": said}
    assert limit_ends(headers, now=NOW) == expected
    assert asked_wait(429, headers, now=NOW) == expected
    used_up = {**headers, f"{prefix}-remaining": "0"}
    assert asked_wait(200, used_up, now=NOW) == expected
    error = spent(answer("", status=429, headers=headers))
    assert (error and error.until) == expected


def test_the_latest_of_several_limits_counts() -> None:
    headers = {"x-ratelimit-reset": "30", "ratelimit-reset": "90", "date": "525"}
    assert limit_ends(headers, now=NOW) == NOW + timedelta(seconds=91)


def test_only_a_429_that_says_when_is_a_spent_quota() -> None:
    assert spent(answer("", status=429)) is None
    assert spent(answer("", status=403, headers={"x-ratelimit-reset": "30"})) is None


def test_a_limit_that_is_not_used_up_asks_for_nothing() -> None:
    headers = {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "30"}
    assert asked_wait(200, headers, now=NOW) is None
