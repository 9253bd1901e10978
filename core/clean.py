"""Make any string storable: Postgres refuses NUL and lone surrogates, and rejects the row."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """Replace what Postgres cannot store by U+FFFD; everything else stays as it was said."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def clean_json(value: object, *, depth: int = 20) -> object:
    """Clean every string in a JSON value; deeper than ``depth`` becomes its ``repr``, cut short."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict | list | tuple) and depth == 0:
        return clean(repr(value)[:200])
    if isinstance(value, dict):
        return {clean(str(k)): clean_json(v, depth=depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth=depth - 1) for item in value]
    return value
