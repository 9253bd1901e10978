from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Brand, IdempotentResponse
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer

NEW = {"slug": "solaris", "name": "Solaris"}


def test_a_repeat_gets_the_first_answer_and_makes_nothing(
    ask: Ask, ours: Customer, session: Session
) -> None:
    key, headers = ours.keys[Role.OWNER], {"Idempotency-Key": "abc"}
    first = ask("POST", "/v1/brands", key=key, json=NEW, headers=headers)
    again = ask("POST", "/v1/brands", key=key, json=NEW, headers=headers)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    named = select(func.count()).select_from(Brand).where(Brand.slug == "solaris")
    assert session.scalar(named) == 1


def test_the_same_word_for_another_request_is_refused(ask: Ask, ours: Customer) -> None:
    key, headers = ours.keys[Role.OWNER], {"Idempotency-Key": "abc"}
    assert ask("POST", "/v1/brands", key=key, json=NEW, headers=headers).status_code == 201
    other = ask("POST", "/v1/brands", key=key, json=NEW | {"slug": "b"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (
        422,
        "urn:goodname:problem:idempotency-key-reused",
    )


def test_a_word_belongs_to_one_key_and_lasts_a_day(
    ask: Ask, ours: Customer, theirs: Customer, clock: Clock, session: Session
) -> None:
    headers = {"Idempotency-Key": "abc"}

    def make(key: str) -> int:
        return ask("POST", "/v1/brands", key=key, json=NEW, headers=headers).status_code

    assert make(ours.keys[Role.OWNER]) == 201
    assert make(theirs.keys[Role.OWNER]) == 201
    assert make(ours.keys[Role.ADMIN]) == 409  # another key: another request, the slug is taken
    clock.pass_time(hours=24, seconds=1)
    assert make(ours.keys[Role.OWNER]) == 409
    # What has had its day is swept by the next request; a refused one sweeps nothing.
    answer = ask(
        "POST",
        "/v1/brands",
        key=ours.keys[Role.OWNER],
        json=NEW | {"slug": "later"},
        headers={"Idempotency-Key": "new"},
    )
    assert answer.status_code == 201
    left = select(func.count()).select_from(IdempotentResponse)
    here = left.where(IdempotentResponse.workspace_id == ours.workspace.id)
    assert session.scalar(here) == 1


def test_a_refused_request_is_not_remembered(ask: Ask, ours: Customer) -> None:
    key, headers = ours.keys[Role.OWNER], {"Idempotency-Key": "abc"}
    bad = NEW | {"slug": ours.brand.slug}
    assert ask("POST", "/v1/brands", key=key, json=bad, headers=headers).status_code == 409
    assert ask("POST", "/v1/brands", key=key, json=NEW, headers=headers).status_code == 201


def test_twins_at_the_same_moment_act_once(ask: Ask, ours: Customer, session: Session) -> None:
    key, headers = ours.keys[Role.OWNER], {"Idempotency-Key": "twins"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda _: ask("POST", "/v1/brands", key=key, json=NEW, headers=headers), range(6)
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
