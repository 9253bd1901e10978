"""Posts are kept at once, whole, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.models import DeadLetter, PostEngagement, Source
from core.types import PublishedQuality
from pipeline.ingest import keep
from tests.factories import add_source, make_post
from tests.pipeline.kept_posts import hits, jobs, kept, row, snapshot


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


def test_a_new_post_is_kept_with_every_field(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post(
        external_id="x1",
        title="Nie dostałem paczki",
        author="Ona",
        author_id="u7",
        rating=1.0,
        rating_scale=5.0,
        parent_id="x0",
        language="pl",
        engagement={"likes": 3},
        extra={"order": {"days": 12}},
        published_quality=PublishedQuality.EXACT,
    )
    result = kept(session, source, post, now=now)
    found = row(session, external_id="x1")
    assert (result.new, result.changed, result.unchanged, result.dead) == (1, 0, 0, 0)
    assert result.new_ids == (found.id,)
    assert (found.title, found.author, found.author_id) == ("Nie dostałem paczki", "Ona", "u7")
    assert (found.rating, found.rating_scale, found.parent_id) == (1.0, 5.0, "x0")
    assert (found.language, found.engagement) == ("pl", {"likes": 3})
    assert found.extra == {"order": {"days": 12}}
    assert (found.published_at, found.published_quality) == (post.published_at, "exact")
    assert (found.seen_at, found.version, found.judged_version) == (now, 1, None)


def test_the_same_batch_twice_changes_nothing(
    session: Session, source: Source, now: datetime
) -> None:
    posts = [make_post(engagement={"likes": n}) for n in range(20)]
    kept(session, source, *posts, now=now)
    before = snapshot(session)
    again = kept(session, source, *posts, now=now + timedelta(hours=1))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 20)
    assert snapshot(session) == before
    assert len(jobs(session)) == 1


def test_counters_give_a_row_and_no_version(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post(engagement={"likes": 1})
    kept(session, source, post, now=now)
    moved = replace(post, engagement={"likes": 40})
    result = kept(session, source, moved, now=now + timedelta(hours=1))
    found = row(session, external_id=post.external_id)
    assert (result.unchanged, found.version, found.engagement) == (1, 1, {"likes": 40})
    counts = session.scalars(select(PostEngagement.counts).order_by(PostEngagement.seen_at))
    assert list(counts) == [{"likes": 1}, {"likes": 40}]


def test_a_post_of_five_megabytes_is_kept_whole(
    session: Session, source: Source, now: datetime
) -> None:
    whole = "".join(f"słowo{n} " for n in range(420_000))
    assert len(whole.encode()) > 5_000_000
    kept(session, source, make_post(text=whole), now=now)
    assert row(session).text == whole
    assert hits(session, "slowo7") == 1


def test_a_bad_post_is_a_dead_letter_and_the_others_are_kept(
    session: Session, source: Source, now: datetime
) -> None:
    bad = make_post(external_id="")
    worse = replace(make_post(), text=None)  # type: ignore[arg-type]
    odd = replace(make_post(), rating="five")  # type: ignore[arg-type]
    result = kept(session, source, make_post(), bad, worse, odd, make_post(), now=now)
    assert (result.new, result.dead) == (2, 3)
    reasons = set(session.scalars(select(DeadLetter.reason)))
    assert {"post has no external id", "post has no text"} <= reasons
    assert len(reasons) == 3


REFUSE_POISON = """
CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.text = 'poison' THEN
        RAISE EXCEPTION USING ERRCODE = '22000', MESSAGE = 'this row is poison';
    END IF;
    RETURN NEW;
END $$
"""


ON_POST = (
    "CREATE TRIGGER refuse BEFORE INSERT ON post FOR EACH ROW EXECUTE FUNCTION refuse_poison()"
)


def test_a_post_that_the_database_refuses_is_a_dead_letter(
    session: Session, source: Source, now: datetime
) -> None:
    session.execute(text(REFUSE_POISON))
    session.execute(text(ON_POST))
    posts = [make_post(text=f"text {n}") for n in range(6)]
    poison = make_post(external_id="p", text="poison")
    result = kept(session, source, *posts[:3], poison, *posts[3:], now=now)
    assert (result.new, result.dead) == (6, 1)
    letter = session.scalars(select(DeadLetter)).one()
    assert letter.reason == "the database refused the post: this row is poison"
    assert (letter.stage, letter.detail, letter.source_id) == (
        "keep",
        {"external_id": "p"},
        source.id,
    )
    kept(session, source, poison, now=now)
    assert session.scalar(select(func.count()).select_from(DeadLetter)) == 1


def test_a_missing_source_is_no_fault_of_the_posts(session: Session, now: datetime) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError):
        keep(session, [make_post()], source_id=10**9, crawl_run_id=None, now=now)


def test_the_number_of_statements_does_not_grow_with_the_batch(
    session: Session, source: Source, now: datetime
) -> None:
    from sqlalchemy import event

    counted: list[str] = []
    listen = (session.get_bind(), "before_cursor_execute")

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.append(statement)

    event.listen(*listen, count)
    try:
        kept(session, source, *[make_post() for _ in range(5)], now=now)
        few = len(counted)
        kept(session, source, *[make_post() for _ in range(200)], now=now)
    finally:
        event.remove(*listen, count)
    assert len(counted) - few == few
