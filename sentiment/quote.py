"""A part of a text in the words of a reason."""

from __future__ import annotations

import unicodedata
from typing import Final

QUOTE_CHARS: Final = 80
_LOOKED_AT: Final = 500  #: characters, so that what cannot be seen does not cost time


def quote(part: str) -> str:
    """Safe to print: one line, no controls and no direction marks, not too long."""
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in part[:_LOOKED_AT])
    shown = " ".join(shown.split())
    return shown if len(shown) <= QUOTE_CHARS else shown[: QUOTE_CHARS - 1].rstrip() + "…"
