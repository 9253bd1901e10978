"""Addresses that operators set: what is not ours to change stays as it stands."""

from __future__ import annotations

import pytest

from crawlers.reading.web_address import with_query


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # vBulletin names its threads so, and takes "12-kavira=" for another one.
        (
            "https://f.example/showthread.php?12-kavira",
            "https://f.example/showthread.php?12-kavira&page=2",
        ),
        ("https://f.example/t?a=%20b+c&page=7&page=8", "https://f.example/t?a=%20b+c&page=2"),
        ("https://f.example/t?p%61ge=7", "https://f.example/t?page=2"),
        ("https://f.example/t?x=1&&y", "https://f.example/t?x=1&y&page=2"),
        ("https://f.example/t", "https://f.example/t?page=2"),
    ],
)
def test_a_number_of_a_page_changes_nothing_else(address: str, expected: str) -> None:
    assert with_query(address, page=2) == expected


def test_what_is_taken_away_leaves_the_others_and_words_are_escaped() -> None:
    address = "https://f.example/t?12-kavira&page=2"
    assert with_query(address, page=None) == "https://f.example/t?12-kavira"
    assert with_query("https://f.example", q="a&b=c d") == "https://f.example?q=a%26b%3Dc+d"
