"""What failed is kept with its reason, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import DeadLetter
from pipeline.dead_letters import bury
from tests.factories import add_source


def letters(session: Session) -> list[DeadLetter]:
    return list(session.scalars(select(DeadLetter).order_by(DeadLetter.id)))


def test_the_same_failure_is_one_row(session: Session, now: datetime) -> None:
    source = add_source(session)
    for day in range(3):
        bury(
            session,
            stage="parse",
            reason="no text",
            url="https://board.example/1",
            source_id=source.id,
            now=now + timedelta(days=day),
        )
    (letter,) = letters(session)
    assert (letter.reason, letter.created_at) == ("no text", now)


def test_two_items_of_one_page_are_two_rows(session: Session, now: datetime) -> None:
    for name in ("a", "b"):
        bury(session, stage="parse", reason="no text", now=now, detail={"external_id": name})
    assert len(letters(session)) == 2


def circle() -> dict[str, object]:
    ring: dict[str, object] = {}
    ring["ring"] = ring
    return ring


def deep() -> list[object]:
    inner: list[object] = []
    for _ in range(50_000):
        inner = [inner]
    return inner


class Refusing:
    """An object that cannot even be shown."""

    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


@pytest.mark.parametrize(
    "detail",
    [
        {"a\x00": "\ud800\x00"},
        {"n": float("nan"), "i": float("-inf")},
        {"b": b"\xff", "s": {1}},
        {"big": "x" * 5_000_000},
        {"long": 10**5000},
        {"deep": deep()},
        {"no": Refusing()},
        circle(),
    ],
    ids=["nul", "nan", "bytes", "big", "long", "deep", "refusing", "circle"],
)
def test_hostile_detail_is_stored_and_never_raises(
    session: Session, now: datetime, detail: dict[str, Any]
) -> None:
    bury(
        session,
        stage="parse",
        reason="bad\x00\ud800" * 5_000,
        url="https://board.example/\x00\udfff" + "y" * 100_000,
        now=now,
        detail=detail,
    )
    (letter,) = letters(session)
    assert len(letter.reason) <= 2_000
    assert len(str(letter.detail)) <= 21_000
