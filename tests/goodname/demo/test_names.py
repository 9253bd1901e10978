"""Names in the forms that the four languages need."""

from __future__ import annotations

import pytest

from goodname.demo.names import BRAND, RIVAL, Name, Names


@pytest.mark.parametrize(
    ("language", "text", "filled"),
    [
        ("en", "from {brand}", "from Vaskelda"),
        ("pl", "w {brand.loc} i dla {rival.gen}", "w Vaskeldzie i dla Ostveny"),
        ("lt", "{brand.loc} ir {rival.dat}", "Vaskeldoje ir Ostvenai"),
        ("hr", "s {brand.ins}, o {rival.loc}", "s Vaskeldom, o Ostveni"),
    ],
)
def test_names_are_inflected(language: str, text: str, filled: str) -> None:
    assert Names().fill(text, language=language) == filled


def test_a_given_name_is_used_uninflected() -> None:
    names = Names.given("Quibbo", None)
    assert names.fill("w {brand.loc} i {rival.loc}", language="pl") == "w Quibbo i Ostvenie"
    assert names.brand.aliases == []


def test_other_braces_are_left_alone() -> None:
    assert Names().fill("{brand.plural} {x} {} {brand", language="en") == (
        "{brand.plural} {x} {} {brand"
    )


@pytest.mark.parametrize("name", [BRAND, RIVAL])
def test_every_form_begins_with_the_search_word(name: Name) -> None:
    assert len(name.search_word) >= 5
    assert all(form.startswith(name.search_word) for form in (name.nominative, *name.aliases))


@pytest.mark.parametrize(
    ("name", "slug"), [("Żółw & Syn", "zolw-syn"), ("Đuro 2", "duro-2"), ("日本", "brand")]
)
def test_a_slug_is_plain(name: str, slug: str) -> None:
    assert Name(nominative=name).slug == slug
