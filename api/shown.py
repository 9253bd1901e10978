"""How values are shown: ids, words and times, the same in every answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from core import ids
from core.ids import Prefix
from core.types import Severity

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?[\d.]+")
_LOST_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:\d\d)$")


@lru_cache(maxsize=65_536)
def show_id(prefix: Prefix, key: int) -> str:
    """``core.ids.public_id``, remembered: a list shows the same few ids on every line."""
    return ids.public_id(prefix, key)


def show_known_id(prefix: Prefix, key: int | None) -> str | None:
    """The same of something that need not be there."""
    return None if key is None else show_id(prefix, key)


def show_severity(level: int) -> str:
    """The word of a stored level."""
    return Severity(level).label


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("NUL characters and lone surrogates cannot be stored")
    return text


def _is_severity(word: str) -> str:
    return Severity.of(word).label


def _readable_moment(given: object) -> object:
    if isinstance(given, int | float) or (isinstance(given, str) and _NUMBER.fullmatch(given)):
        # It would be read as seconds since 1970: 20260301 is a day of that year.
        raise ValueError(
            "a date (2026-03-01) or a time with its zone (2026-03-01T12:00:00Z) is wanted, "
            "not a number"
        )
    # "+" is a space in a query string: 2026-03-02T12:00:00+01:00 arrives without its sign.
    if isinstance(given, str):
        given = _LOST_PLUS.sub(r"\1+\2", given)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", given):
            return f"{given}T00:00:00Z"
    return given


def _reasonable_moment(given: datetime) -> datetime:
    if not 1 < given.year < 9999:
        raise ValueError("a year between 2 and 9998 is wanted")
    return given.astimezone(UTC)


Text = Annotated[str, AfterValidator(_storable)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_storable),
]
Lines = Annotated[list[Line], Field(max_length=200)]
SeverityWord = Annotated[str, Field(max_length=20), AfterValidator(_is_severity)]
Moment = Annotated[
    AwareDatetime, BeforeValidator(_readable_moment), AfterValidator(_reasonable_moment)
]


class Shown(BaseModel):
    """Something that the API answers."""

    model_config = ConfigDict(frozen=True)


class Wanted(BaseModel):
    """Something that the API is asked; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Page(Shown):
    """What every list answers besides its items."""

    next: str | None = Field(
        description="Path of the next page, also in the Link header; null at the end.",
        examples=["/v1/mentions?limit=50&cursor=AAY…"],
    )
