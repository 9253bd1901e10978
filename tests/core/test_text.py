"""Folding, cleaning and ids: small functions on which everything else leans."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clean import clean, clean_json
from core.fold import fold
from core.ids import BadIdError, Prefix, database_key, public_id


@pytest.mark.parametrize(
    ("said", "searched"),
    [
        ("Obsługa", "obsluga"),
        ("ŽALBA protiv ĐURĐE", "zalba protiv durde"),
        ("Straße", "STRASSE"),
        ("ﬁrma", "firma"),
        ("pra\u0161au", "pras\u030cau"),
        ("Vol\u200btano", "voltano"),
        ("ĖJIMAS", "ejimas"),
        ("İstanbul", "istanbul"),
    ],
)
def test_a_search_without_marks_finds_the_word(said: str, searched: str) -> None:
    assert fold(said) == fold(searched)


@given(st.text())
def test_folding_twice_changes_nothing(anything: str) -> None:
    assert fold(fold(anything)) == fold(anything)


@given(st.text(st.characters(codec=None)))
def test_any_cleaned_string_is_storable(anything: str) -> None:
    cleaned = clean(anything)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned


def test_postgres_takes_cleaned_json(session: Session) -> None:
    nested: object = "\x00"
    for _ in range(200):
        nested = [nested, {"a\x00": float("nan"), "b": "\ud800"}]
    stored = json.dumps(clean_json(nested), allow_nan=False)
    assert session.scalar(text("SELECT (:value)::jsonb IS NOT NULL"), {"value": stored}) is True


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_an_id_reads_back(key: int) -> None:
    assert database_key(Prefix.MENTION, public_id(Prefix.MENTION, key)) == key


@pytest.mark.parametrize("shown", ["", "men_", "men_x", "alt_Uk3bXq0aLw", "7", "men_" + "9" * 500])
def test_a_foreign_or_broken_id_is_refused(shown: str) -> None:
    with pytest.raises(BadIdError):
        database_key(Prefix.MENTION, shown)
