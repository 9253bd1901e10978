"""Which brands a text is about."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipeline.match import Matcher, Watched, about, matcher


def brand(name: str = "Voltano", **given: Any) -> Watched:
    values: dict[str, Any] = {"id": 1, "workspace_id": 1, "name": name}
    return Watched(**(values | given))


def words(text: str, watched: Watched) -> tuple[str, ...] | None:
    found = Matcher([watched])(text)
    return found[0].words if found else None


@pytest.mark.parametrize(
    "text",
    [
        "Voltano never answers",
        "I wrote to VOLTANO.",
        "(voltano)",
        "Voltano's parcel",
        "#voltano",
        "_Voltano_",
        "voltano_support told me",
        "a\nvoltano\nb",
        "Volta\u00adno with a soft hyphen",
        "Ｖｏｌｔａｎｏ in full width",
    ],
)
def test_a_name_is_found(text: str) -> None:
    assert words(text, brand()) == ("voltano",)


@pytest.mark.parametrize("text", ["", "voltanometer", "evoltano", "volt ano", "Volta no", "voltan"])
def test_a_name_inside_another_word_is_not(text: str) -> None:
    assert words(text, brand()) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Żabka", "w zabka na rogu"),
        ("Đuro", "kupio u Duro"),
        ("Straße 7", "die STRASSE 7"),
        ("Яндекс", "это ЯНДЕКС виноват"),
        ("東京電力", "昨日東京電力に電話した"),
        ("삼성", "삼성이 고장났다"),
        ("C++ Shop", "the c++ shop again"),
        ("AT&T", "at&t cut me off"),
        ("3", "I left 3 today"),
        ("Bank Lipowy", "pisałem do Bank\n  Lipowy wczoraj"),
    ],
)
def test_names_of_any_script_are_found(name: str, text: str) -> None:
    assert words(text, brand(name)) is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Orlen", "byłem na Orlenie"),
        ("Orlen", "z Orlenem mam problem"),
        ("Orlen", "skarga do Orlenu"),
        ("Maxima", "Maximoje buvo šalta"),
        ("Maxima", "iš Maximos negavau"),
        ("Konzum", "u Konzumu nema kruha"),
        ("Podravka", "reklamacija Podravke"),
        ("Voltano", "kupio od Voltana"),
        ("Nowy Orlen", "w nowy Orlenie"),
    ],
)
def test_a_name_is_found_in_its_cases(name: str, text: str) -> None:
    assert words(text, brand(name)) is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Orlen", "orlenka"),
        ("Virgin", "moved to Virginia"),
        ("Domino", "domina i domine"),
        ("Visa", "wizyta visy"),
        ("Apple", "apples and pears"),
        ("Amazon", "the amazonian forest"),
        ("Subway", "subways"),
        ("Target", "targeted and targets"),
        ("Nokia", "nokian tyres"),
        ("Shell", "shells on the beach"),
    ],
)
def test_a_name_is_not_found_in_another_word(name: str, text: str) -> None:
    assert words(text, brand(name)) is None


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("see voltano.example", True),
        ("https://www.voltano.example/help?x=1", True),
        ("mail me@shop.voltano.example.", True),
        ("notvoltano.example", False),
        ("my-voltano.example", False),
        ("voltano.example.org", False),
        ("voltano.example-shop.test", False),
    ],
)
def test_a_domain_is_found_as_a_whole(text: str, is_found: bool) -> None:
    watched = brand("Unsaid", domains=("https://www.voltano.example/",))
    assert (words(text, watched) is not None) == is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("@voltano_help please", True),
        ("hey @Voltano_Help!", True),
        ("@voltano_helper", False),
        ("@voltano_help_me", False),
        ("voltano_help", False),
    ],
)
def test_a_handle_is_found_as_a_whole(text: str, is_found: bool) -> None:
    watched = brand("Unsaid", handles=("@voltano_help",))
    assert (words(text, watched) is not None) == is_found


def test_an_excluded_word_makes_a_text_about_something_else() -> None:
    orange = brand("Orange", excluded=("orange juice", "sok"))
    assert words("Orange cut my line", orange) == ("orange",)
    assert words("Orange juice, fresh orange", orange) is None
    assert words("orange soki", orange) is not None


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        ("orange AND (phone OR mobile)", "my Orange mobile is dead", True),
        ("orange AND (phone OR mobile)", "an orange fruit", False),
        ("orange AND NOT fruit", "orange phone", True),
        ("orange AND NOT fruit", "orange fruit", False),
        ('"orange mobile"', "orange\n mobile", True),
        ('"orange mobile"', "orange my mobile", False),
        ('"orange refund"~2', "refund from old Orange", True),
        ('"orange refund"~2', "refund a b c orange", False),
        ('"orange orange"~2', "orange", True),
        ("volt*", "voltanometer", True),
        ("volt*", "revolt", False),
        ("-fruit orange", "orange", True),
    ],
)
def test_a_query_decides_instead_of_the_name(query: str, text: str, is_found: bool) -> None:
    assert (words(text, brand("Never", query=query)) is not None) == is_found
    assert words("Never again", brand("Never", query=query)) is None


def test_a_query_that_cannot_be_read_leaves_the_name() -> None:
    assert words("voltano", brand(query="(((")) == ("voltano",)


def test_a_text_may_be_about_two_brands() -> None:
    found = Matcher([brand("Voltano", id=1), brand("Rivalo", id=2), brand("Other", id=3)])(
        "From Rivalo to Voltano"
    )
    assert [(one.brand.id, one.words) for one in found] == [(1, ("voltano",)), (2, ("rivalo",))]


def test_brands_of_the_same_name_in_two_workspaces_both_match() -> None:
    both = [brand(id=1, workspace_id=1), brand(id=2, workspace_id=2)]
    assert [one.brand.id for one in Matcher(both)("voltano")] == [1, 2]


def test_the_parts_of_a_post_are_not_glued_together() -> None:
    assert Matcher([brand("Bank Lipowy")])("Bank", "Lipowy") == []


def test_the_page_can_be_about_the_brand() -> None:
    assert list(about({"about": ["Voltano", 3]})) == ["Voltano"]
    assert list(about({"about": "Voltano"})) == ["Voltano"]
    assert list(about({})) == []


def test_no_brands_and_nameless_brands_match_nothing() -> None:
    assert Matcher([])("voltano") == []
    assert Matcher([brand("--"), brand("", aliases=("",))])("-- voltano") == []


def test_hostile_texts_do_not_raise() -> None:
    for text in ("\ud800voltano\x00", "\u202evoltano", "voltano" * 3, "@" * 1000):
        Matcher([brand(handles=("voltano",), domains=("voltano.example",))])(text)
    assert words("\ud800voltano\x00", brand()) == ("voltano",)


def test_a_matcher_is_compiled_once() -> None:
    brands = (brand(), brand("Rivalo", id=2))
    assert matcher(brands) is matcher(tuple(brands))


def test_five_megabytes_are_matched_within_seconds() -> None:
    began = time.perf_counter()
    assert words("voltano " * 700_000, brand(query='"voltano voltano"~3')) == ("voltano",)
    assert time.perf_counter() - began < 10
