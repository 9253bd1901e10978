"""Kept posts that a whole walk did not meet, or that their source says are gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.models import PostRow, Source
from core.types import Post, PublishedQuality
from pipeline.ingest import keep
from pipeline.presence import CONFIRMED_AFTER, Walk
from pipeline.presence_rows import Reconciled, reconcile, remove
from tests.factories import add_source, make_post

HOUR = timedelta(hours=1)


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


def listed(now: datetime, names: str, **given: Any) -> list[Post]:
    """Posts a, b, c …, each an hour older than the one before."""
    return [
        make_post(
            external_id=name,
            published_at=now - ("abcdefgh".index(name) + 1) * HOUR,
            published_quality=PublishedQuality.EXACT,
            **given,
        )
        for name in names
    ]


def walked(
    session: Session,
    source: Source,
    posts: list[Post],
    *,
    at: datetime,
    can_ask: bool = False,
) -> Reconciled:
    """A whole walk over a list that shows these posts."""
    kept = keep(session, posts, source_id=source.id, crawl_run_id=None, now=at)
    walk = Walk(began_at=at).past(kept.dated)
    return reconcile(session, walk, source_id=source.id, can_ask=can_ask, now=at)


def rows(session: Session) -> dict[str, PostRow]:
    session.expire_all()
    return {row.external_id: row for row in session.scalars(select(PostRow))}


def test_an_absent_post_is_missing_and_comes_back_silently(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcd")
    walked(session, source, posts, at=now)
    later = now + HOUR
    found = walked(session, source, [posts[0], posts[1], posts[3]], at=later)
    kept = rows(session)
    assert found.missing == (kept["c"].id,)
    assert (kept["c"].missing_since, kept["c"].deleted_at) == (later, None)
    assert kept["a"].last_seen_at == later
    assert kept["c"].last_seen_at is None
    walked(session, source, posts, at=later + HOUR)
    back = rows(session)["c"]
    assert (back.missing_since, back.deleted_at, back.last_seen_at) == (None, None, later + HOUR)


def test_only_a_second_absence_hours_later_makes_it_gone(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcd")
    walked(session, source, posts, at=now)
    less = [posts[0], posts[1], posts[3]]
    first = now + HOUR
    walked(session, source, less, at=first)
    soon = walked(session, source, less, at=first + timedelta(minutes=15))
    assert (len(soon.waiting), soon.gone) == (1, ())
    assert rows(session)["c"].missing_since == first
    late = first + CONFIRMED_AFTER
    assert len(walked(session, source, less, at=late).gone) == 1
    gone = rows(session)["c"]
    assert (gone.deleted_at, gone.gone_reason, gone.missing_since) == (late, "deleted", None)
    assert gone.text == posts[2].text


def test_what_has_aged_out_of_the_list_is_neither_missing_nor_gone(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcdefgh")
    walked(session, source, posts, at=now)
    for hours in (1, 10, 20):
        found = walked(session, source, posts[:4], at=now + hours * HOUR)
        assert found == Reconciled()
    assert {row.missing_since for row in rows(session).values()} == {None}


def test_the_newest_and_oldest_themselves_say_nothing_of_their_own_minute(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abc")
    twin = replace(posts[2], external_id="twin")
    walked(session, source, [*posts, twin], at=now)
    assert walked(session, source, posts, at=now + HOUR) == Reconciled()


def test_a_list_that_shows_hardly_anything_is_not_believed(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcdefgh")
    walked(session, source, posts, at=now)
    assert walked(session, source, [posts[0], posts[7]], at=now + HOUR) == Reconciled()


def test_posts_of_another_source_are_left_alone(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abc")
    walked(session, add_source(session), posts, at=now)
    walked(session, source, posts, at=now)
    found = walked(session, source, [posts[0], posts[2]], at=now + HOUR)
    assert len(found.missing) == 1


def test_where_the_site_can_be_asked_the_missing_are_due_at_once_and_wait_for_its_answer(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcd")
    walked(session, source, posts, at=now, can_ask=True)
    less = [posts[0], posts[1], posts[3]]
    for hours in (1, 30):
        found = walked(session, source, less, at=now + hours * HOUR, can_ask=True)
        assert found.gone == ()
    assert rows(session)["c"].next_visit_at == now + HOUR


def test_a_resolved_complaint_that_disappears_was_removed_after_resolution(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcd")
    walked(session, source, posts, at=now)
    # The firm answers later; the text of the complaint stays as it was.
    posts[1] = replace(posts[1], extra={"case": {"status": "resolved"}})
    posts[2] = replace(posts[2], extra={"case": {"status": "unanswered"}})
    walked(session, source, posts, at=now + HOUR)
    assert rows(session)["b"].version == 1
    for hours in (2, 12):
        walked(session, source, [posts[0], posts[3]], at=now + hours * HOUR)
    kept = rows(session)
    assert kept["b"].gone_reason == "removed_after_resolution"
    assert kept["c"].gone_reason == "deleted"


def test_what_the_site_says_is_gone_is_gone_at_once(
    session: Session, source: Source, now: datetime
) -> None:
    walked(session, source, listed(now, "ab"), at=now)
    later = now + HOUR
    assert len(remove(session, ["a", "unknown"], source_id=source.id, now=later)) == 1
    assert rows(session)["a"].deleted_at == later
    assert rows(session)["b"].deleted_at is None
    assert remove(session, ["a"], source_id=source.id, now=later + HOUR) == []
    assert rows(session)["a"].deleted_at == later


def test_a_post_that_is_back_lost_its_reason_too(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "ab")
    walked(session, source, posts, at=now)
    remove(session, ["a"], source_id=source.id, now=now + HOUR)
    walked(session, source, posts, at=now + 2 * HOUR)
    back = rows(session)["a"]
    assert (back.deleted_at, back.gone_reason, back.version) == (None, None, 1)


# What is first heard of as deleted has no text to keep.
@pytest.mark.parametrize("order", [one for one in permutations(range(4)) if one[0] != 3])
def test_any_order_of_sightings_leaves_the_same_row(
    session: Session, source: Source, now: datetime, order: tuple[int, ...]
) -> None:
    post = make_post(external_id="x", text="written", extra={"case": {"status": "resolved"}})
    told = [
        (now, post),
        (now + HOUR, replace(post, text="edited")),
        (now + 2 * HOUR, replace(post, text="edited", engagement={"likes": 3})),
        (now + 3 * HOUR, replace(post, text="", is_deleted=True)),
    ]
    for place in order:
        at, seen = told[place]
        keep(session, [seen], source_id=source.id, crawl_run_id=None, now=at)
    row = rows(session)["x"]
    assert (row.text, row.deleted_at) == ("edited", now + 3 * HOUR)
    assert row.gone_reason == "removed_after_resolution"


def test_seeing_a_page_again_is_noted_in_one_statement(
    session: Session, source: Source, now: datetime
) -> None:
    posts = listed(now, "abcdefgh")
    walked(session, source, posts, at=now)
    written: list[str] = []
    listen = (session.get_bind(), "before_cursor_execute")

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("UPDATE", "INSERT", "DELETE")):
            written.append(statement)

    event.listen(*listen, note)
    try:
        kept = keep(session, posts, source_id=source.id, crawl_run_id=None, now=now + HOUR)
    finally:
        event.remove(*listen, note)
    assert (kept.changed, kept.unchanged) == (0, 8)
    assert len(written) == 1
    assert {row.last_seen_at for row in rows(session).values()} == {now + HOUR}
