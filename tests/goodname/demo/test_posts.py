"""The texts of the demo, and the JSON file that replaces them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from core.types import Severity
from goodname.demo.names import Names
from goodname.demo.posts import LANGUAGES, About, Role, Text, TextsError, own_pool, pool_from

POOL = own_pool()
TEXTS = (*POOL.ordinary, *POOL.script)


def test_there_are_enough_texts_in_every_language() -> None:
    assert 60 <= len(TEXTS) <= 100
    counts = Counter(text.lang for text in TEXTS)
    assert set(counts) == set(LANGUAGES)
    assert min(counts.values()) >= 20


def test_every_language_has_every_severity() -> None:
    for lang in LANGUAGES:
        assert {text.severity for text in TEXTS if text.lang == lang} == {s.label for s in Severity}


def test_every_language_has_every_trap() -> None:
    traps = {"praise in scary words", "another brand blamed", "resolved complaint", "sarcasm"}
    for lang in LANGUAGES:
        assert traps <= {text.trap for text in TEXTS if text.lang == lang}


def test_keys_and_texts_are_unique() -> None:
    assert len({text.key for text in TEXTS}) == len(TEXTS)
    assert len({text.text for text in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.key)
def test_a_text_names_whom_it_is_about(text: Text) -> None:
    words = f"{text.title} {text.text}"
    is_lake = text.trap == "a lake of the same name"  # it bears the name and is nobody's firm
    assert ("{brand" in words) is (text.about in (About.BRAND, About.BOTH) or is_lake)
    assert ("{rival" in words) is (text.about in (About.RIVAL, About.BOTH))
    if text.edited:
        assert "{brand" in text.edited.text


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.key)
def test_every_brace_of_a_text_is_a_placeholder(text: Text) -> None:
    filled = Names().fill(f"{text.title} {text.text} {text.reply}", language=text.lang)
    assert "{" not in filled
    assert "}" not in filled


def test_json_strings_replace_the_texts_and_keep_our_script(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text(json.dumps(["{brand} sent a bell.", {"lang": "pl", "text": "Dzwonek."}]))
    pool = pool_from(file)
    assert [text.text for text in pool.ordinary] == ["{brand} sent a bell.", "Dzwonek."]
    assert pool.script == POOL.script


def test_json_texts_with_roles_replace_the_script(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    one = {"text": "Smoke!", "role": "incident", "site": "forum", "at": 3}
    file.write_text(json.dumps([one, "Fine."]))
    (incident,) = pool_from(file).script
    assert (incident.role, incident.at) == (Role.INCIDENT, 3)


def test_what_xml_cannot_hold_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text('["a\\u0000b\\u000bc\\ufffed"]')
    assert pool_from(file).ordinary[0].text == "a\ufffdb\ufffdc\ufffdd"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "file"),
        ('[{"text": ""}]', "0"),
        ('["ok", {"text": "x", "role": "incident"}]', "site and at"),
        ('[{"text": "x", "colour": "red"}]', "colour"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "texts.json"
    file.write_text(content)
    with pytest.raises(TextsError) as caught:
        pool_from(file)
    assert str(file) in str(caught.value)
    assert named in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextsError, match=r"nothing\.json"):
        pool_from(tmp_path / "nothing.json")
