"""Posts are kept at once, whole, and once."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core.fold import fold
from core.models import DeadLetter, PostEngagement, PostRow, PostSearch, PostVersion, Source
from core.types import Post, PublishedQuality
from pipeline.ingest import Kept, keep
from tests.factories import add_source, make_post

EDITED = "It came, and it was broken."


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


def kept(session: Session, source: Source, *posts: Post, now: datetime) -> Kept:
    return keep(session, posts, source_id=source.id, crawl_run_id=None, now=now)


def row(session: Session, **where: Any) -> PostRow:
    session.expire_all()
    return session.scalars(select(PostRow).filter_by(**where)).one()


def versions(session: Session) -> list[tuple[int, str]]:
    found = session.execute(
        select(PostVersion.version, PostVersion.text).order_by(PostVersion.version)
    )
    return [(version, said) for version, said in found]


def jobs(session: Session) -> list[list[int]]:
    found = session.scalars(
        text("SELECT args->'post_ids' FROM procrastinate_jobs WHERE task_name='judge_posts'")
    )
    return list(found)


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


def snapshot(session: Session) -> list[tuple[Any, ...]]:
    session.expire_all()
    tables = (
        "SELECT to_jsonb(post) - 'last_seen_at' FROM post ORDER BY id",
        "SELECT * FROM post_version ORDER BY post_id, version",
        "SELECT * FROM post_engagement ORDER BY post_id, seen_at",
        "SELECT post_id, vector::text FROM post_search ORDER BY post_id",
        "SELECT * FROM dead_letter ORDER BY id",
    )
    return [tuple(found) for table in tables for found in session.execute(text(table))]


def test_an_edit_gives_a_version_and_another_judgement(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post()
    kept(session, source, post, now=now)
    later = now + timedelta(hours=2)
    result = kept(session, source, replace(post, text=EDITED), now=later)
    found = row(session, external_id=post.external_id)
    assert (result.new, result.changed) == (0, 1)
    assert (found.text, found.version, found.seen_at, found.sort_at) == (EDITED, 2, later, now)
    assert versions(session) == [(1, post.text)]
    assert jobs(session) == [[found.id], [found.id]]


def test_an_edit_is_found_by_its_new_words_only(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post(text="Obsługa była niegrzeczna")
    kept(session, source, post, now=now)
    assert hits(session, "obsluga") == 1
    kept(session, source, replace(post, text="Zwrot odmówiony"), now=now)
    assert (hits(session, "obsługa"), hits(session, "ZWROT")) == (0, 1)


def hits(session: Session, word: str) -> int:
    query = func.plainto_tsquery("simple", fold(word))
    found = session.scalar(
        select(func.count()).select_from(PostSearch).where(PostSearch.vector.op("@@")(query))
    )
    return found or 0


def test_an_edit_back_to_the_first_text_is_a_third_version(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post()
    for said in (post.text, EDITED, post.text):
        kept(session, source, replace(post, text=said), now=now)
    assert row(session, external_id=post.external_id).version == 3
    assert versions(session) == [(1, post.text), (2, EDITED)]


def test_a_deletion_keeps_the_text_as_evidence(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post()
    kept(session, source, post, now=now)
    later = now + timedelta(minutes=5)
    result = kept(session, source, replace(post, text="", is_deleted=True), now=later)
    found = row(session, external_id=post.external_id)
    assert (result.changed, found.text, found.version) == (1, post.text, 1)
    assert found.deleted_at == later
    again = kept(session, source, replace(post, text="", is_deleted=True), now=now)
    assert again.unchanged == 1
    assert len(jobs(session)) == 1


def test_a_post_that_is_back_is_no_longer_deleted(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post()
    for gone in (False, True, False):
        kept(session, source, replace(post, is_deleted=gone), now=now)
    found = row(session, external_id=post.external_id)
    assert (found.deleted_at, found.version) == (None, 1)


def test_a_deletion_of_an_unknown_post_is_remembered(
    session: Session, source: Source, now: datetime
) -> None:
    kept(session, source, make_post(external_id="gone", text="", is_deleted=True), now=now)
    assert row(session, external_id="gone").deleted_at == now


def test_told_and_deleted_in_one_batch_keeps_the_text(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post()
    kept(session, source, post, replace(post, text="", is_deleted=True), now=now)
    found = row(session, external_id=post.external_id)
    assert (found.text, found.deleted_at, found.version) == (post.text, now, 1)


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


def test_a_late_sighting_does_not_undo_a_newer_edit(
    session: Session, source: Source, now: datetime
) -> None:
    old = make_post(edited_at=now - timedelta(hours=2))
    new = replace(old, text=EDITED, edited_at=now - timedelta(hours=1))
    kept(session, source, new, now=now)
    result = kept(session, source, old, now=now)
    assert (result.unchanged, row(session, external_id=old.external_id).text) == (1, EDITED)


def test_several_texts_under_one_id_leave_every_text(
    session: Session, source: Source, now: datetime
) -> None:
    posts = [make_post(external_id="same", text=f"text {n}") for n in range(5)]
    first = kept(session, source, *posts, now=now)
    assert (first.new, row(session, external_id="same").text) == (1, "text 4")
    assert versions(session) == [(n + 1, f"text {n}") for n in range(4)]
    before = snapshot(session)
    again = kept(session, source, *posts, now=now)
    assert (again.unchanged, snapshot(session)) == (1, before)


def test_an_unknown_text_below_a_known_one_is_not_lost(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post(text="known")
    kept(session, source, post, now=now)
    kept(session, source, replace(post, text="between"), post, now=now)
    assert versions(session) == [(1, "between")]
    found = row(session, external_id=post.external_id)
    assert (found.version, found.text) == (2, "known")


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


states = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["one", "two", "\x00", "trzy ł"]),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(states, min_size=1, max_size=4))
def test_any_batches_leave_the_last_text_and_all_earlier_ones(
    session: Session, source: Source, now: datetime, batches: list[list[tuple[Any, ...]]]
) -> None:
    with session.begin_nested() as undo:
        told: dict[str, list[str]] = {}
        for batch in batches:
            posts = [as_post(*state) for state in batch]
            kept(session, source, *posts, now=now)
            before = snapshot(session)
            again = kept(session, source, *posts, now=now)
            assert snapshot(session) == before
            assert again.new == again.changed == again.dead == 0
            for name, said, is_deleted, _ in batch:
                if not is_deleted:
                    told.setdefault(name, []).append(said.replace("\x00", "\ufffd"))
        for name, texts in told.items():
            found = row(session, external_id=name)
            history = session.scalars(
                select(PostVersion.text).where(PostVersion.post_id == found.id)
            )
            assert found.text == texts[-1]
            assert set(texts) <= {*history, found.text}
        undo.rollback()


def as_post(name: str, said: str, is_deleted: bool, likes: int) -> Post:
    return Post(
        external_id=name,
        text="" if is_deleted else said,
        url="https://board.example/1",
        is_deleted=is_deleted,
        engagement={"likes": likes},
    )


def test_two_writers_of_the_same_posts_keep_each_once(engine: Engine, now: datetime) -> None:
    with Session(engine) as setup:
        source_id = add_source(setup).id
        setup.commit()
    posts = [make_post(external_id=f"p{n}") for n in range(120)]
    totals: list[Kept] = []

    def write(seed: int) -> None:
        mine = list(posts)
        random.Random(seed).shuffle(mine)
        for part in (mine[:60], mine[60:]):
            with Session(engine) as own:
                totals.append(write_once(own, part, source_id, now))
                own.commit()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as check:
        assert check.scalar(select(func.count()).select_from(PostRow)) == 120
        judged = [id_ for batch in jobs(check) for id_ in batch]
    assert sum(one.new for one in totals) == 120
    assert len(judged) == len(set(judged)) == 120


def write_once(session: Session, part: Sequence[Post], source_id: int, now: datetime) -> Kept:
    return keep(session, part, source_id=source_id, crawl_run_id=None, now=now)


def test_writers_of_overlapping_edits_never_wait_in_a_circle(engine: Engine, now: datetime) -> None:
    with Session(engine) as setup:
        source_id = add_source(setup).id
        setup.commit()
    posts = [make_post(external_id=f"p{n}") for n in range(60)]

    def write(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(8):
            some = draw.sample(posts, 25)
            edited = [replace(one, text=draw.choice("abc")) for one in some]
            with Session(engine) as own:
                write_once(own, edited, source_id, now)
                own.commit()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as check:
        risen = check.scalar(select(func.sum(PostRow.version - 1)))
        assert risen == check.scalar(select(func.count()).select_from(PostVersion))
