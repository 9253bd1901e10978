"""Every text that a post ever had stays, and so does one that was deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import PostVersion, Source
from core.types import Post
from tests.factories import add_source, make_post
from tests.pipeline.kept_posts import hits, jobs, kept, row, snapshot, versions

EDITED = "It came, and it was broken."


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


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
