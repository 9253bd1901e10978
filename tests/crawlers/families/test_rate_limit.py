"""When a window of requests ends, in the three ways in which sites write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.families.rate_limit import lifted_at, spent
from tests.crawlers.talking import answer

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "said", "expected"),
    [
        ("x-ratelimit-reset", "525", NOW + timedelta(seconds=526)),
        ("x-ratelimit-reset", "0.4", NOW + timedelta(seconds=1)),
        ("ratelimit-reset", str(int(NOW.timestamp()) + 60), NOW + timedelta(seconds=60)),
        ("x-ratelimit-reset", "2026-03-02T12:05:00.290188Z", None),
        ("x-ratelimit-reset", "2026-03-02T13:05:00+01:00", NOW + timedelta(minutes=5)),
        ("x-ratelimit-reset", "2026-03-02T12:05:00", None),
        ("ratelimit-reset", str(int(NOW.timestamp()) - 60), None),
        ("ratelimit-reset", str(int(NOW.timestamp()) + 90_000), None),
        ("x-ratelimit-reset", "99999999999", None),
        ("x-ratelimit-reset", "٥٢٥", None),
        ("x-ratelimit-reset", "soon", None),
        ("date", "525", None),
    ],
)
def test_a_reset_is_read_or_is_none(header: str, said: str, expected: datetime | None) -> None:
    found = lifted_at({header: said}, now=NOW)
    if said.endswith("Z"):
        assert found == datetime(2026, 3, 2, 12, 5, 0, 290188, tzinfo=UTC)
    else:
        assert found == expected


def test_only_a_429_that_says_when_is_a_spent_quota() -> None:
    error = spent(answer("", status=429, headers={"x-ratelimit-reset": "30"}))
    assert error is not None
    assert error.until == NOW + timedelta(seconds=31)
    assert spent(answer("", status=429)) is None
    assert spent(answer("", status=403, headers={"x-ratelimit-reset": "30"})) is None
