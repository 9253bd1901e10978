"""What became of a complaint, as its source told it: the status of the case, the firm's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class FirmAnswer:
    """What the firm answered in public."""

    text: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseShown:
    """What a reader wants to know of a case; all empty where the source says nothing of one."""

    status: str | None  #: in the words of the site, else in ours
    answers: tuple[FirmAnswer, ...]  #: oldest first


def case_of(extra: Mapping[str, Any]) -> CaseShown:
    """Read ``extra`` of a post; what is of another shape than documented is left out."""
    case = extra.get("case")
    told = case if isinstance(case, Mapping) else {}
    status = told.get("says") or told.get("status")
    given = told.get("answers")
    answers = given if isinstance(given, list) and given else [extra.get("reply")]
    return CaseShown(
        status=status if isinstance(status, str) else None, answers=tuple(_answers(answers))
    )


def _answers(given: list[Any]) -> Iterator[FirmAnswer]:
    for one in given:
        if isinstance(one, Mapping) and isinstance(one.get("text"), str):
            yield FirmAnswer(text=one["text"], published_at=_moment(one.get("published_at")))


def _moment(written: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
