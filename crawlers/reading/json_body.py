"""JSON of strangers: parsed strictly, read tolerantly, never an exception of the library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from core.clean import clean
from crawlers.errors import DriftError

Json = Any


def parse_json(text: str, *, what: str) -> Json:
    """Parse; ``DriftError`` says why it is not JSON (``what`` names it for the reader)."""
    try:
        return json.loads(text.lstrip("\ufeff"), parse_constant=_refuse)
    except RecursionError:
        raise DriftError(f"{what} is nested too deep to be read") from None
    except ValueError as error:
        raise DriftError(f"{what} is not JSON: {str(error)[:120]}") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def at(value: Json, *path: str) -> Json:
    """Follow keys into nested objects; None where one is missing or no object."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def words(value: Json) -> str | None:
    """A string that says something, storable and stripped, else None."""
    return clean(value).strip() or None if isinstance(value, str) else None


def name_of(value: Json) -> str | None:
    """An id as text, whether the site writes it as a string or as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else None
    return words(value)


def count(value: Json) -> int | None:
    """A whole number that fits the database, else None; true is not 1."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and abs(value) < 2**62 else None


def stars(value: Json, *, best: int) -> float | None:
    """A rating from 1 to the best one, else None; 0 is what many sites say for none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 1 <= value <= best else None


def listed(value: Json) -> Sequence[Json]:
    """The items of an array; nothing for anything else."""
    return value if isinstance(value, list) else ()


def counts(**given: int | None) -> dict[str, int]:
    """Engagement counters, without those that the site does not give."""
    return {key: value for key, value in given.items() if value is not None}


def known(**given: object) -> dict[str, object]:
    """Extra values, without those that the site does not give."""
    return {key: value for key, value in given.items() if value not in (None, "", [], {})}
