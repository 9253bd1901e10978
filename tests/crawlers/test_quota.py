"""The ledger of quotas: a day is spread, no unit is counted twice, and nothing overspends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.models import QuotaUse
from crawlers.contract import Quota
from crawlers.errors import QuotaError
from crawlers.quota import Account, allowance, close, period_of, refusal, spend, spent, states
from tests.crawlers.keyed import Keyed

DAILY = Quota(units=100, zone="America/Los_Angeles")
HOURLY = Quota(units=60, period=timedelta(minutes=15))
DESK = Account("youtube", "desk", "search")
MIDNIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # in Los Angeles


def test_a_day_begins_at_the_midnight_of_its_zone() -> None:
    period = period_of(DAILY, MIDNIGHT + timedelta(hours=23, minutes=59))
    assert (period.start, period.end) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert period_of(DAILY, period.end).start == period.end


def test_a_day_with_a_clock_change_has_its_own_length() -> None:
    spring = period_of(DAILY, datetime(2026, 3, 8, 20, tzinfo=UTC))
    autumn = period_of(DAILY, datetime(2026, 11, 1, 20, tzinfo=UTC))
    assert (spring.end - spring.start, autumn.end - autumn.start) == (
        timedelta(hours=23),
        timedelta(hours=25),
    )


def test_a_quarter_of_an_hour_begins_with_the_clock() -> None:
    period = period_of(HOURLY, datetime(2026, 3, 2, 12, 29, 59, tzinfo=UTC))
    assert period.start == datetime(2026, 3, 2, 12, 15, tzinfo=UTC)
    assert allowance(HOURLY, period, period.start) == 60


def test_the_units_of_a_day_are_spread_over_it_and_a_few_may_come_at_once() -> None:
    period = period_of(DAILY, MIDNIGHT)

    def allowed(hours: float) -> int:
        return allowance(DAILY, period, MIDNIGHT + timedelta(hours=hours))

    assert [allowed(hours) for hours in (0, 6, 12, 23, 23.999)] == [5, 30, 55, 100, 100]


@given(
    units=st.integers(1, 5000),
    cost=st.integers(1, 200),
    used=st.integers(0, 6000),
    seconds=st.integers(0, 86_399),
    days=st.sampled_from([1, 7, 30]),
)
def test_what_is_refused_now_is_allowed_when_it_says(
    units: int, cost: int, used: int, seconds: int, days: int
) -> None:
    quota = Quota(units=units, period=timedelta(days=days))
    now = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    end = period_of(quota, now).end
    refused = refusal(quota, now, used=used, cost=cost, closed_until=None)
    if refused is None:
        assert used + cost <= allowance(quota, period_of(quota, now), now) <= units
        return
    assert refused.until is not None
    assert now < refused.until <= end
    if refused.until < end:
        later = refused.until
        assert refusal(quota, later, used=used, cost=cost, closed_until=None) is None


def test_a_site_that_says_that_it_is_over_is_believed(session: Session, now: datetime) -> None:
    spend(session, DESK, DAILY, cost=1, now=now)
    until = close(session, DESK, DAILY, until=None, now=now)
    assert until == period_of(DAILY, now).end
    with pytest.raises(QuotaError, match="the site said") as caught:
        spend(session, DESK, DAILY, cost=1, now=now + timedelta(hours=1))
    assert caught.value.until == until
    spend(session, DESK, DAILY, cost=1, now=until)
    # For longer than the period, when it says so; for ever, it does not say.
    later = until + timedelta(days=3)
    assert close(session, DESK, DAILY, until=later, now=until) == later
    with pytest.raises(QuotaError):
        spend(session, DESK, DAILY, cost=1, now=until + timedelta(days=2))
    mad = datetime(9999, 1, 1, tzinfo=UTC)
    assert close(session, DESK, DAILY, until=mad, now=until) < until + timedelta(days=32)


def test_budgets_of_other_buckets_and_credentials_are_others(
    session: Session, now: datetime
) -> None:
    one = Quota(units=1, period=timedelta(hours=1))
    for account in (DESK, Account("youtube", "desk", ""), Account("youtube", "shop", "search")):
        spend(session, account, one, cost=1, now=now)
        with pytest.raises(QuotaError, match="1 of 1 units are spent"):
            spend(session, account, one, cost=1, now=now)
        assert spent(session, account, one, now=now) == 1


def test_a_request_that_costs_more_than_all_is_refused_in_words(
    session: Session, now: datetime
) -> None:
    with pytest.raises(QuotaError, match="costs 101 units, the whole budget is 100"):
        spend(session, DESK, DAILY, cost=101, now=now)


def test_old_periods_are_forgotten(session: Session, now: datetime) -> None:
    spend(session, DESK, DAILY, cost=1, now=now - timedelta(days=90))
    spend(session, DESK, DAILY, cost=1, now=now)
    assert session.scalars(select(QuotaUse.used)).all() == [1]


def test_a_quota_of_minutes_leaves_no_row_for_each_minute_of_two_months(
    session: Session, now: datetime
) -> None:
    minutely = Quota(units=5, period=timedelta(minutes=1))
    close(session, DESK, minutely, until=now + timedelta(days=2), now=now)
    for minute in range(200):
        spend(session, Account("x", "desk", ""), minutely, cost=1, now=_later(now, minute))
    with pytest.raises(QuotaError, match="the site said"):
        spend(session, DESK, minutely, cost=1, now=_later(now, 200))
    assert 50 < len(session.scalars(select(QuotaUse.used)).all()) < 70


def _later(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


def test_many_at_once_spend_no_unit_twice_and_none_too_many(engine: Engine, now: datetime) -> None:
    quota = Quota(units=50, period=timedelta(hours=1))

    def try_to_spend(_: int) -> bool:
        try:
            with Session(engine) as session, session.begin():
                spend(session, DESK, quota, cost=1, now=now)
        except QuotaError:
            return False
        return True

    with ThreadPoolExecutor(5) as threads:
        done = list(threads.map(try_to_spend, range(80)))
    assert sum(done) == 50
    with Session(engine) as session:
        assert spent(session, DESK, quota, now=now) == 50


def test_the_state_of_budgets_is_shown(session: Session, now: datetime) -> None:
    account = Account("keyed", "desk", "three")
    quota = Keyed.quotas["three"]
    spend(session, account, quota, cost=2, now=now)
    spend(session, Account("gone", "desk", ""), quota, cost=1, now=now)
    (state,) = states(session, {"keyed": Keyed()}, now=now)
    assert (state.account, state.used, state.units) == (account, 2, 3)
    assert state.closed_until is None
    assert states(session, {"keyed": Keyed()}, now=now + timedelta(days=2)) == []
