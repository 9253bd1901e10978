"""Raw answers: stored once, without secrets, deleted in time, kept for good where it matters."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.models import Brand, Mention, PostEvidence, PostRow, RawAnswer, Source
from core.settings import EvidenceSection
from core.types import Post, Severity
from pipeline.assess import judge_posts
from pipeline.evidence import (
    Answer,
    delete_expired,
    keep_answer,
    safe_headers,
    unpacked,
)
from pipeline.housekeeping import delete_old_evidence
from pipeline.ingest import keep
from tests.factories import add_brand, add_source, add_workspace, make_post
from tests.pipeline.judges import WordJudge

WEEK = timedelta(days=7)


@pytest.fixture
def source(session: Session) -> Source:
    return add_source(session)


@pytest.fixture
def brand(session: Session) -> Brand:
    return add_brand(session, add_workspace(session))


def answer(body: bytes = b"<p>what was said</p>", *, at: datetime, **given: Any) -> Answer:
    values: dict[str, Any] = {
        "url": "https://board.example/1",
        "status": 200,
        "headers": {"content-type": "text/html"},
        "body": body,
        "fetched_at": at,
    }
    return Answer(**(values | given))


def read(
    session: Session,
    source: Source,
    *posts: Post,
    at: datetime,
    body: bytes = b"page",
    **given: Any,
) -> list[int]:
    """Keep posts, and the answer in which they were read."""
    kept = keep(session, posts, source_id=source.id, crawl_run_id=None, now=at)
    ids = [*kept.new_ids, *kept.changed_ids]
    settings = EvidenceSection(**given)
    said = answer(body, at=at)
    keep_answer(session, said, post_ids=ids, source_id=source.id, settings=settings)
    return ids


def judged(session: Session, ids: list[int], *, at: datetime, **given: Any) -> None:
    judge_posts(session, ids, judge=WordJudge(), now=at, **given)


def answers(session: Session) -> list[RawAnswer]:
    session.expire_all()
    return list(session.scalars(select(RawAnswer).order_by(RawAnswer.id)))


def links(session: Session) -> list[tuple[str, int]]:
    found = session.execute(
        select(PostRow.external_id, PostEvidence.version)
        .join(PostEvidence, PostEvidence.post_id == PostRow.id)
        .order_by(PostRow.external_id, PostEvidence.version)
    )
    return [(name, version) for name, version in found]


def test_a_severe_mention_keeps_its_answer_for_good_and_a_mild_one_does_not(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.name == "Voltano"
    bad = read(session, source, make_post(text="Voltano caught fire"), at=now, body=b"bad")
    mild = read(session, source, make_post(text="Voltano is broken"), at=now, body=b"mild")
    other = read(session, source, make_post(text="Rivalo caught fire"), at=now, body=b"other")
    judged(session, [*bad, *mild, *other], at=now)
    expiry = {zlib.decompress(one.body): one.expires_at for one in answers(session)}
    assert expiry == {b"bad": None, b"mild": now + WEEK, b"other": now + WEEK}


def test_the_settings_say_from_which_severity_and_for_how_long(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.is_active
    mild = make_post(text="Voltano is broken")
    ids = read(session, source, mild, at=now, keep_days=2)
    assert answers(session)[0].expires_at == now + timedelta(days=2)
    judged(session, ids, at=now, evidence_from=Severity.MEDIUM)
    assert answers(session)[0].expires_at is None


def test_the_same_answer_is_stored_once_and_stays_pinned(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.is_active
    ids = read(session, source, make_post(text="Voltano caught fire"), at=now)
    judged(session, ids, at=now)
    read(session, source, make_post(text="Another"), at=now + WEEK)
    (one,) = answers(session)
    assert (one.expires_at, one.fetched_at) == (None, now)
    assert len(links(session)) == 2


def test_a_later_reading_of_the_same_answer_makes_it_stay_longer(
    session: Session, source: Source, now: datetime
) -> None:
    read(session, source, make_post(), at=now)
    read(session, source, make_post(), at=now + timedelta(days=3))
    assert [one.expires_at for one in answers(session)] == [now + timedelta(days=10)]


def test_a_long_answer_is_not_kept_and_nor_is_one_without_news(
    session: Session, source: Source, now: datetime
) -> None:
    read(session, source, make_post(), at=now, body=b"x" * 101, max_body_bytes=100)
    read(session, source, at=now)
    assert answers(session) == []
    read(session, source, make_post(), at=now, body=b"x" * 100, max_body_bytes=100)
    assert len(answers(session)) == 1


def test_every_version_points_to_the_answer_in_which_it_was_read(
    session: Session, source: Source, now: datetime
) -> None:
    post = make_post(external_id="x", text="one")
    read(session, source, post, at=now, body=b"1")
    later = now + timedelta(hours=1)
    read(session, source, replace(post, text="two"), replace(post, text="three"), at=later)
    assert links(session) == [("x", 1), ("x", 2), ("x", 3)]
    read(session, source, replace(post, text="", is_deleted=True), at=later, body=b"gone")
    assert links(session) == [("x", 1), ("x", 2), ("x", 3)]


def test_expired_answers_are_deleted_with_their_links_and_pinned_ones_stay(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.is_active
    bad = read(session, source, make_post(external_id="bad", text="Voltano fire"), at=now)
    read(session, source, make_post(external_id="mild"), at=now, body=b"mild")
    judged(session, bad, at=now)
    early = now + WEEK - timedelta(seconds=1)
    assert delete_expired(session, from_severity=Severity.HIGH, now=early) == 0
    assert delete_expired(session, from_severity=Severity.HIGH, now=now + WEEK) == 1
    assert links(session) == [("bad", 1)]
    assert len(answers(session)) == 1


def test_what_a_person_found_severe_meanwhile_is_kept_instead_of_deleted(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.is_active
    ids = read(session, source, make_post(text="Voltano is broken"), at=now)
    judged(session, ids, at=now)
    session.execute(update(Mention).values(corrected_severity=Severity.CRITICAL.value))
    assert delete_expired(session, from_severity=Severity.HIGH, now=now + WEEK) == 0
    assert answers(session)[0].expires_at is None


def test_pinned_answers_go_with_the_posts_that_were_read_in_them(
    session: Session, source: Source, brand: Brand, now: datetime
) -> None:
    assert brand.is_active
    judged(session, read(session, source, make_post(text="Voltano fire"), at=now), at=now)
    session.delete(source)
    session.flush()
    assert delete_expired(session, from_severity=Severity.HIGH, now=now) == 1
    assert answers(session) == []


def test_housekeeping_deletes_until_nothing_is_left(engine: Engine, now: datetime) -> None:
    with Session(engine) as session:
        values = {"url": "", "status": 200, "headers": {}, "size_bytes": 0, "fetched_at": now}
        session.add_all(
            RawAnswer(sha256=hashlib.sha256(bytes([n % 256, n // 256])).digest(), body=b"",
                      expires_at=now, **values)
            for n in range(1_200)
        )  # fmt: skip
        session.commit()
    assert delete_old_evidence(engine, from_severity=Severity.HIGH, now=now) == 1_200


def test_headers_are_kept_without_cookies() -> None:
    given = {
        "content-type": "text/html",
        "set-cookie": "id=1",
        "authorization": "x",
        "etag": "1" * 999,
    }
    assert safe_headers(given) == {"content-type": "text/html", "etag": "1" * 500}


def test_a_body_never_unpacks_to_more_than_it_was() -> None:
    bomb = zlib.compress(bytes(10_000_000))
    assert unpacked(zlib.compress(b"said"), size_bytes=4) == b"said"
    assert len(unpacked(bomb, size_bytes=1_000)) == 1_000
