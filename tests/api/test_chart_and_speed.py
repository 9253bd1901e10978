from __future__ import annotations

from datetime import timedelta

import pytest

from api.chart import HEIGHT, WIDTH, Bucket, bars
from api.render import duration, external, host, moment
from api.speed import steps, whole
from tests.factories import NOW


def test_bars_stand_on_the_ground_with_the_worst_on_top() -> None:
    found = bars([Bucket(NOW, {0: 2, 4: 2}), Bucket(NOW, {}), Bucket(NOW, {1: 1})])
    assert [bar.severity for bar in found] == ["none", "critical", "low"]
    calm, worst, low = found
    assert calm.y + calm.height == pytest.approx(HEIGHT)
    assert worst.y + worst.height == pytest.approx(calm.y)
    assert low.height == pytest.approx(calm.height / 2)
    assert low.x > WIDTH / 2
    assert all(bar.y >= 0 and bar.x + bar.width <= WIDTH for bar in found)


def test_one_critical_post_is_seen_beside_a_storm() -> None:
    found = bars([Bucket(NOW, {1: 100_000}), Bucket(NOW, {4: 1})])
    assert found[1].height >= 1.5


def test_nothing_draws_nothing() -> None:
    assert bars([]) == bars([Bucket(NOW, {})]) == []


def test_steps_tell_how_long_each_took_and_forgive_clocks() -> None:
    later = NOW + timedelta(seconds=20)
    found = steps([("published", NOW), ("seen", later), ("judged", None), ("alerted", NOW)])
    assert [(step.name, step.after_seconds) for step in found] == [
        ("published", None),
        ("seen", 20.0),
        ("alerted", None),
    ]
    assert whole(found) == 0
    assert whole(found[:2]) == 20
    assert whole(found[:1]) is None
    assert whole(list(reversed(found[:2]))) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 s"), (0.31, "0.3 s"), (42, "42 s"), (90, "2 min"), (7200, "2 h"),
     (200_000, "2 d")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_only_web_addresses_lead_out() -> None:
    assert external("https://board.example/a?b=c") == "https://board.example/a?b=c"
    for url in ("javascript:alert(1)", "data:x", "https://", "http://[", "", None, "/local"):
        assert external(url) is None
    assert host("https://User@Board.example:8080/x") == "board.example"


def test_a_time_is_readable_without_scripts() -> None:
    assert "02 Mar 2026 12:00 UTC" in moment(NOW)
    assert 'datetime="2026-03-02T12:00:00.000+00:00"' in moment(NOW)
