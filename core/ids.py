"""Ids as the API shows them: opaque, prefixed strings such as ``men_Uk3bXq0aLw``."""

from __future__ import annotations

from enum import StrEnum

from sqids import Sqids

from core.errors import GoodnameError

_SQIDS = Sqids(min_length=10)


class Prefix(StrEnum):
    """One prefix a noun, so that a person sees what an id is of."""

    WORKSPACE = "wsp"
    API_KEY = "key"
    BRAND = "brd"
    SOURCE = "src"
    RUN = "run"
    POST = "pst"
    MENTION = "men"
    STORY = "sto"
    RULE = "rul"
    ALERT = "alt"
    RECEIVER = "rcv"
    DELIVERY = "dlv"
    DEAD_LETTER = "ded"
    OPERATIONS_ALERT = "opa"


class BadIdError(GoodnameError):
    """The string is not an id of that noun."""


def public_id(prefix: Prefix, key: int) -> str:
    """Show a database key, e.g. ``men_…``."""
    return f"{prefix}_{_SQIDS.encode([key])}"


def database_key(prefix: Prefix, shown: str) -> int:
    """Read a shown id back; ``BadIdError`` when it is malformed or of another noun."""
    head, _, tail = shown.partition("_")
    numbers = _SQIDS.decode(tail) if head == prefix and len(tail) <= 20 else []
    if len(numbers) != 1 or numbers[0] >= 2**63 or _SQIDS.encode(numbers) != tail:
        raise BadIdError(f"{shown[:40]!r} is not an id of this kind; it begins with {prefix}_")
    return numbers[0]
