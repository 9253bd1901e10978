"""Numbers as pages write them for people."""

from __future__ import annotations

import re

from crawlers.reading.markup import tidy

# Thousands are set apart by a point, a comma, a blank or an apostrophe.
_WHOLE = re.compile(r"\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+(?!\d)|\d{1,18}")
_DECIMAL = re.compile(r"\d{1,3}(?:[.,]\d{1,3})?")
_LONGEST = 500


def whole_number(text: str | None) -> int | None:
    """The first whole number in a text, e.g. of "1,014 people"; None without one."""
    return next(iter(whole_numbers(text)), None)


def whole_numbers(text: str | None) -> list[int]:
    """The whole numbers in a text, "1 234" being one."""
    return [int(re.sub(r"\D", "", found)) for found in _WHOLE.findall((text or "")[:_LONGEST])]


def decimal(text: str | None) -> float | None:
    """A text that is a number and nothing else, as ratings are written."""
    digits = _DECIMAL.fullmatch(tidy(text or ""))
    return float(digits[0].replace(",", ".")) if digits else None
