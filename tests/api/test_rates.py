from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from fastapi import FastAPI

from api.app import create_app
from core.database import Urls
from core.settings import Settings
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer


@pytest.fixture(autouse=True)
def early_in_a_minute() -> Iterator[None]:
    """The limiter counts by whole minutes of the clock; no test runs across the end of one."""
    with time_machine.travel("2026-03-02T12:00:05Z"):
        yield


@pytest.fixture
def app(database_url: str, clock: Clock) -> FastAPI:
    urls = Urls(owner=database_url, app=database_url)
    return create_app(Settings(), urls, clock=clock, requests_per_minute=5)


def test_one_key_that_floods_waits_and_leaves_the_others_alone(ask: Ask, ours: Customer) -> None:
    flood, calm = ours.keys[Role.ANALYST], ours.keys[Role.OWNER]
    statuses = [ask("GET", "/v1/brands", key=flood).status_code for _ in range(8)]
    assert statuses[:5] == [200] * 5
    assert statuses[5:] == [429] * 3
    refused = ask("GET", "/v1/brands", key=flood)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"] == "application/problem+json"
    assert ask("GET", "/v1/brands", key=calm).status_code == 200


def test_visitors_without_a_login_use_up_nobody_elses_share(ask: Ask, ours: Customer) -> None:
    for path in ["/", "/page/alerts"] * 5:
        answer = ask("GET", path)
        assert answer.headers["location"].startswith("/login")
    ask("POST", "/login", data={"key": ours.keys[Role.OWNER]})
    statuses = [ask("GET", "/page/alerts").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_guessing_keys_is_slowed_without_locking_out_the_good_ones(
    ask: Ask, ours: Customer
) -> None:
    guesses = [f"gn_aaaaaaaaaaaa_{number:043d}" for number in range(70)]
    statuses = [ask("GET", "/v1/brands", key=guess).status_code for guess in guesses]
    assert statuses[:60] == [401] * 60
    assert set(statuses[60:]) == {429}
    assert ask("POST", "/login", data={"key": guesses[0]}).status_code == 429
    assert ask("GET", "/v1/brands", key=ours.keys[Role.OWNER]).status_code == 200
