"""Folding keeps every character's place."""

from __future__ import annotations

import pytest

from sentiment.linear.ngrams import grams
from sentiment.linear.stream import HEAD_CHARS, TAIL_CHARS, read


def _folded(text: str) -> str:
    return "".join(map(chr, read([text]).codes)).strip()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zażółć GĘŚLĄ jaźń", "zazolc gesla jazn"),
        ("Žąsų  ūkis\n\nčia", "zasu ukis cia"),
        ("Đački čopor", "dacki copor"),
        ("Ђаци и љубав", "daci i lubav"),
        ("don't soooo 1234", "dont soo 00"),
        ("ｆｕｌｌ 𝐛𝐨𝐥𝐝", "full bold"),
        ("fi\u200bre e\u0301", "fire e"),
        ("see https://a.example/b?c=d or me@a.example now", "see or now"),
        ("<p>one</p>&amp;<br/>two", "one two"),
    ],
)
def test_text_is_folded_to_plain_letters(text: str, folded: str) -> None:
    assert _folded(text) == folded


def test_every_code_knows_its_character() -> None:
    texts = ["Zły\u0301 dom", "", "a <b>b</b> ć"]
    stream = read(texts)
    for code, row, offset in zip(stream.codes, stream.rows, stream.offsets, strict=True):
        if offset >= 0 and chr(code).isalpha():
            assert _folded(texts[row][offset]) == chr(code)


def test_places_in_the_tail_of_a_long_text_are_counted_from_its_true_start() -> None:
    text = "x" + " " * (HEAD_CHARS + TAIL_CHARS) + "end"
    stream = read([text])
    assert text[stream.offsets[-2]] == "d"
    assert stream.offsets[-2] == len(text) - 1


def test_no_feature_spans_two_texts_or_two_words() -> None:
    alone = [hashes for text in ("ab", "cd") for hashes in _hashes([text])]
    assert sorted(_hashes(["ab", "cd"])) == sorted(alone)
    assert sorted(_hashes(["ab cd"])) == sorted(alone)


def test_hashes_never_change_between_releases() -> None:
    # The shipped model is addressed by these numbers.
    assert _hashes(["fire 😡"]) == FIRE


def _hashes(texts: list[str]) -> list[int]:
    return [int(value) for family in grams(read(texts)) for value in family.hashes]


FIRE = [
    1264221972,
    1261813842,
    1376137795,
    1321198014,
    1022964115,
    1361347759,
    891431909,
    800585346,
    3914841326,
    3721516362,
]
