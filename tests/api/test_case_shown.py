"""What a source says of a case, whatever its shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.case_shown import CaseShown, FirmAnswer, case_of

WORDS = FirmAnswer(text="We are sorry.", published_at=None)


def test_the_words_of_the_site_come_before_ours_and_answers_keep_their_order() -> None:
    first = {"text": "Sorry.", "published_at": "2026-01-05T00:00:00+00:00"}
    case = {"status": "resolved", "says": "Closed, resolved", "answers": [first, {"text": "Paid."}]}
    shown = case_of({"case": case, "reply": {"text": "Paid."}})
    assert shown.status == "Closed, resolved"
    assert shown.answers == (
        FirmAnswer(text="Sorry.", published_at=datetime(2026, 1, 5, tzinfo=UTC)),
        FirmAnswer(text="Paid.", published_at=None),
    )


def test_a_reply_without_a_case_is_an_answer() -> None:
    assert case_of({"reply": {"text": "We are sorry."}}) == CaseShown(status=None, answers=(WORDS,))


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"case": "resolved", "reply": "sorry"},
        {"case": {"status": 7, "answers": "none"}, "reply": None},
        {"case": [], "reply": {"text": 5, "published_at": []}},
        {"case": {"answers": [None, 3, {"published_at": "2026"}]}},
    ],
)
def test_other_shapes_are_left_out(extra: dict[str, Any]) -> None:
    assert case_of(extra) == CaseShown(status=None, answers=())


@pytest.mark.parametrize("written", ["2026-13-01", "yesterday", "2026-01-05T00:00:00", 5])
def test_an_unreadable_day_is_none(written: object) -> None:
    extra = {"reply": {"text": "We are sorry.", "published_at": written}}
    assert case_of(extra).answers == (WORDS,)
