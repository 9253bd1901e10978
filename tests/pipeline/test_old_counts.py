"""Counters of long ago are taken away; younger ones and those on the post stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.models import PostEngagement, PostRow
from pipeline import old_counts
from pipeline.housekeeping import delete_old_engagement
from pipeline.ingest import keep
from tests.factories import add_source, make_post

DAY = timedelta(days=1)


def _count(engine: Engine, now: datetime, *ages: timedelta) -> None:
    """A post whose counter moved so long ago."""
    with Session(engine) as session:
        source_id = add_source(session).id
        for likes, age in enumerate(ages, start=1):
            post = make_post(external_id="counted", engagement={"likes": likes})
            keep(session, [post], source_id=source_id, crawl_run_id=None, now=now - age)
        session.commit()


def test_counters_are_kept_for_thirty_days(
    engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_counts, "_MOST_DELETED", 2)  # so that it takes several batches
    _count(engine, now, *[age * DAY for age in (90, 60, 45, 32, 31, 30, 1)])
    assert delete_old_engagement(engine, now=now) == 5
    assert delete_old_engagement(engine, now=now) == 0
    with Session(engine) as session:
        left = session.scalars(select(PostEngagement.seen_at).order_by(PostEngagement.seen_at))
        assert list(left) == [now - 30 * DAY, now - DAY]
        assert session.scalars(select(PostRow.engagement)).one() == {"likes": 7}


def test_a_post_that_nobody_counts_any_more_keeps_its_last_counters(
    engine: Engine, now: datetime
) -> None:
    _count(engine, now, 40 * DAY)
    assert delete_old_engagement(engine, now=now) == 1
    with Session(engine) as session:
        assert session.scalars(select(PostRow.engagement)).one() == {"likes": 1}
