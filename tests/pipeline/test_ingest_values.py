"""Dates that nobody believes, and signs that Postgres refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.models import Source
from core.types import PublishedQuality
from tests.factories import add_source, make_post
from tests.pipeline.kept_posts import kept, row


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


@pytest.mark.parametrize("year", [1, 1970, 1994, 2400, 9999])
def test_an_unbelievable_date_becomes_unknown_and_stays_in_extra(
    session: Session, source: Source, now: datetime, year: int
) -> None:
    moment = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    post = make_post(published_at=moment, published_quality=PublishedQuality.EXACT)
    kept(session, source, post, now=now)
    found = row(session, external_id=post.external_id)
    assert (found.published_at, found.published_quality, found.sort_at) == (None, "unknown", now)
    assert found.extra == {"published_at_raw": moment.isoformat()}


def test_dates_at_the_edge_of_the_calendar_are_kept_as_unknown(
    session: Session, source: Source, now: datetime
) -> None:
    from datetime import timezone

    far_east, far_west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    first = make_post(published_at=datetime.min.replace(tzinfo=far_east))
    last = make_post(published_at=datetime.max.replace(tzinfo=far_west))
    naive = make_post(published_at=datetime(2026, 1, 2, 3))  # noqa: DTZ001
    assert kept(session, source, first, last, naive, now=now).new == 3
    assert row(session, external_id=naive.external_id).published_at == datetime(
        2026, 1, 2, 3, tzinfo=UTC
    )


def test_half_a_day_ahead_is_a_wrong_clock_and_stays(
    session: Session, source: Source, now: datetime
) -> None:
    ahead = now + timedelta(hours=12)
    post = make_post(published_at=ahead)
    kept(session, source, post, now=now)
    assert row(session, external_id=post.external_id).published_at == ahead


def test_what_postgres_refuses_is_cleaned(session: Session, source: Source, now: datetime) -> None:
    hostile = "a\x00b\ud800c"
    post = make_post(
        external_id=hostile,
        text=hostile,
        title=hostile,
        url=f"https://board.example/{hostile}",
        author=hostile,
        rating=float("nan"),
        engagement={hostile: 1, "huge": 10**40},
        extra={hostile: [hostile, float("inf"), {1, 2}.__class__, b"\xff"]},
    )
    assert kept(session, source, post, now=now).new == 1
    found = row(session)
    assert found.text == found.external_id == "a\ufffdb\ufffdc"
    assert (found.rating, found.engagement) == (None, {"a\ufffdb\ufffdc": 1})


def test_ids_that_clean_to_the_same_stay_two_posts(
    session: Session, source: Source, now: datetime
) -> None:
    assert kept(session, source, make_post(external_id="\x00"), make_post(external_id="\ud800"),
                now=now).new == 2  # fmt: skip
