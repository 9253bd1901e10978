"""What a reason quotes can be shown anywhere."""

from __future__ import annotations

import pytest

from sentiment.quote import QUOTE_CHARS, quote


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("caught fire", "caught fire"),
        (" a\n\tb ", "a b"),
        ("a\u202eb\x1b[31m\ud800", "a b [31m"),
        ("x" * QUOTE_CHARS, "x" * QUOTE_CHARS),
        ("x" * 90, "x" * (QUOTE_CHARS - 1) + "…"),
        ("", ""),
    ],
)
def test_a_quote_is_one_short_printable_line(part: str, shown: str) -> None:
    assert quote(part) == shown
