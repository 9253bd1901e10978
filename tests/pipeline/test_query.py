"""A brand's query is read, or refused with a reason and a place."""

from __future__ import annotations

import contextlib
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.query import AllOf, AnyOf, Literal, Near, Negation, check_query, read_query


def word(key: str, *, is_prefix: bool = False) -> Literal:
    return Literal(key=key, is_prefix=is_prefix)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Voltano", word("voltano")),
        ('"never  CAME"', word("never came")),
        ("volt*", word("volt", is_prefix=True)),
        ("a1 b1", AllOf(parts=(word("a1"), word("b1")))),
        ("a1 AND NOT b1", AllOf(parts=(word("a1"), Negation(part=word("b1"))))),
        ("a1 OR b1", AnyOf(parts=(word("a1"), word("b1")))),
        ("+a1 -b1", AllOf(parts=(word("a1"), Negation(part=word("b1"))))),
        ('"zwrot pieniędzy"~3', Near(words=(word("zwrot"), word("pieniedzy")), distance=3)),
        (r"a\:b", word("a:b")),
        ("AT&T", word("at&t")),
        ("żółw", word("zolw")),
        ("москва", word("москва")),
    ],
)
def test_a_query_is_read(query: str, expected: object) -> None:
    assert read_query(query) == expected


@pytest.mark.parametrize(
    ("query", "position", "says"),
    [
        ("", 0, "empty"),
        ("a1 AND", 6, "missing at the end"),
        ("a1 AND OR b1", 7, "not expected"),
        ("(a1", 0, "never closed"),
        ("a1)", 2, "never opened"),
        ('a1 "b1', 3, "quotation mark"),
        ("a1 or b1", 3, "capitals"),
        ("a1 /b.*/", 3, "regular expressions"),
        ("title:x1", 0, "fields"),
        ("[a1 TO b1]", 0, "ranges"),
        ("x1~2", 0, "fuzzy"),
        ("x1^3", 0, "weights"),
        ("ab*cd", 2, "end of a word"),
        ("*abc", 0, "end of a word"),
        ("ab?", 2, "end of a word"),
        ("a*", 0, "prefix needs 3"),
        ("a1 && b1", 3, "no letter"),
        ("a1 !b1", 3, "write NOT"),
        ("NOT a1", 0, "every text"),
        ("a1 OR NOT b1", 0, "every text"),
        ("(" * 21 + "a1" + ")" * 21, 20, "nested"),
        ("x" * 2001, 2000, "longer"),
        ('"a1 b1"~99', 0, "at most"),
        ('"a1"~2', 0, "two words"),
    ],
)
def test_a_bad_query_is_refused_with_its_place(query: str, position: int, says: str) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        check_query(query)
    assert caught.value.position == position


def test_deep_negations_are_refused_and_do_not_overflow() -> None:
    with pytest.raises(QueryError):
        check_query("NOT " * 400 + "a1")


def test_too_many_words_are_refused() -> None:
    with pytest.raises(QueryError, match="200"):
        check_query(" OR ".join(f"w{n}" for n in range(210)))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab1 "()*?~^\\/:+-!{}[]ANDORTł\x00\ud800', max_size=60))
def test_no_text_raises_anything_but_a_query_error(query: str) -> None:
    with contextlib.suppress(QueryError):
        check_query(query)


def test_threads_do_not_mix_their_queries() -> None:
    wrong: list[object] = []

    def read(name: str) -> None:
        for _ in range(60):
            got = read_query(f'{name} AND (b1 OR "{name} c1")')
            keys = (word(name), AnyOf(parts=(word("b1"), word(f"{name} c1"))))
            if got != AllOf(parts=keys):
                wrong.append(got)

    threads = [threading.Thread(target=read, args=(f"name{n}",)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
