"""When posts are asked for again, and which come first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.models import PostRow, Source
from pipeline.assess import judge_posts
from pipeline.ingest import keep
from pipeline.revisit_rows import find_due, give_up, note_visit, plan, put_off
from pipeline.revisits import AGES, PUT_OFF, next_look, next_visit
from tests.factories import add_brand, add_source, add_workspace, make_post
from tests.pipeline.judges import WordJudge

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "next_age"),
    [
        (timedelta(), HOUR),
        (-HOUR, HOUR),  # a site's clock that is fast
        (HOUR, 3 * HOUR),
        (2 * HOUR, 3 * HOUR),
        (timedelta(hours=2, minutes=50), 9 * HOUR),
        (9 * HOUR, 27 * HOUR),
        (27 * HOUR, timedelta(days=3)),
        (timedelta(days=3), timedelta(days=9)),
        (timedelta(days=8), None),
        (timedelta(days=9), None),
        (timedelta(days=900), None),
    ],
)
def test_a_post_is_visited_ever_less_and_then_never(
    age: timedelta, next_age: timedelta | None
) -> None:
    born_at = NOW - age
    assert next_visit(born_at, now=NOW) == (None if next_age is None else born_at + next_age)


@settings(deadline=None)
@given(start=st.integers(0, 20 * 86_400), late=st.lists(st.integers(0, 86_400), max_size=12))
def test_visits_come_to_an_end_however_late_they_are_made(start: int, late: list[int]) -> None:
    at = NOW + timedelta(seconds=start)
    visits, delays = 0, iter(late)
    while (planned := next_visit(NOW, now=at)) is not None:
        assert planned > at
        visits += 1
        at = planned + timedelta(seconds=next(delays, 0))
    assert visits <= len(AGES)


def test_a_missing_post_without_an_answer_is_asked_for_until_it_is_old() -> None:
    assert next_look(NOW - HOUR, now=NOW) == NOW + 6 * HOUR
    assert next_look(NOW - timedelta(days=9), now=NOW) is None


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


def kept(session: Session, source: Source, *names: str, **given: Any) -> dict[str, int]:
    posts = [make_post(external_id=name, **given) for name in names]
    new = keep(session, posts, source_id=source.id, crawl_run_id=None, now=NOW).new_ids
    found = session.execute(select(PostRow.external_id, PostRow.id).where(PostRow.id.in_(new)))
    return {row.external_id: row.id for row in found}


def change(session: Session, post_id: int, **values: Any) -> None:
    session.execute(update(PostRow).where(PostRow.id == post_id).values(**values))


def row(session: Session, post_id: int) -> PostRow:
    session.expire_all()
    return session.get_one(PostRow, post_id)


def due(session: Session, source: Source, *, limit: int = 10, now: datetime = NOW) -> list[str]:
    found = find_due(session, source_id=source.id, limit=limit, now=now)
    return [one.external_id for one in found]


def test_the_missing_come_first_then_mentions_then_what_is_noticed(
    session: Session, source: Source
) -> None:
    add_brand(session, add_workspace(session))
    ids = kept(session, source, "quiet", "loud", "missing", "gone", text="A parcel")
    ids |= kept(session, source, "about", text="Voltano is fine")
    judge_posts(session, list(ids.values()), judge=WordJudge(), now=NOW)
    long_ago = NOW - 30 * HOUR
    for post_id in ids.values():
        change(session, post_id, next_visit_at=NOW - HOUR, seen_at=long_ago)
    change(session, ids["loud"], engagement={"likes": 900, "replies": 3})
    change(session, ids["quiet"], engagement={"likes": 4}, next_visit_at=NOW - 2 * HOUR)
    change(session, ids["missing"], missing_since=NOW)
    change(session, ids["gone"], deleted_at=NOW)
    assert due(session, source) == ["missing", "about", "loud", "quiet"]
    assert due(session, source, limit=2) == ["missing", "about"]
    assert due(session, add_source(session)) == []


def test_only_young_posts_get_a_time_to_be_visited(session: Session, source: Source) -> None:
    young = kept(session, source, "young", published_at=NOW)
    old = kept(session, source, "old", published_at=NOW - timedelta(days=30))
    plan(session, [*young.values(), *old.values()], now=NOW)
    assert row(session, young["young"]).next_visit_at == NOW + HOUR
    assert row(session, old["old"]).next_visit_at is None
    assert due(session, source, now=NOW + HOUR) == ["young"]


def test_a_visit_is_counted_and_plans_the_next(session: Session, source: Source) -> None:
    ids = kept(session, source, "x", published_at=NOW)
    note_visit(session, list(ids.values()), now=NOW + HOUR)
    after = row(session, ids["x"])
    assert (after.visits, after.next_visit_at) == (1, NOW + 3 * HOUR)
    change(session, ids["x"], missing_since=NOW)
    note_visit(session, list(ids.values()), now=NOW + 3 * HOUR)
    assert row(session, ids["x"]).next_visit_at == NOW + 9 * HOUR
    put_off(session, list(ids.values()), now=NOW)
    assert row(session, ids["x"]).next_visit_at == NOW + PUT_OFF
    give_up(session, list(ids.values()))
    assert row(session, ids["x"]).next_visit_at is None
