"""Language tags."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sentiment.language import identify


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("The parcel never arrived and nobody answers my letters.", "en"),
        ("Paczka nie dotarła, a infolinia milczy od tygodnia.", "pl"),
        ("Siunta taip ir neatkeliavo, į laiškus niekas neatsako.", "lt"),
        ("Paket nije stigao, a na poruke nitko ne odgovara.", "hr"),
        ("Paket nije stigao, a niko ne odgovara na poruke već dve nedelje.", "hr"),
        ("Пакет није стигао, а нико не одговара на поруке.", "sr"),
        ("Das Paket kam nie an und niemand antwortet mir.", "de"),
        ("Zásilka nedorazila a nikdo mi neodpovídá na zprávy.", "cs"),
    ],
)
def test_a_sentence_gets_its_language(text: str, tag: str) -> None:
    found, probability = identify(text)
    assert found == tag
    assert probability is not None
    assert 0.35 <= probability <= 1


@pytest.mark.parametrize(
    "text",
    ["", " \n", "ok", "10:45", "😀😀😀😀😀😀😀😀😀", "\ud800\udfff\ud800", "\x00" * 50,
     "https://example.test/the/long/path/of/words", "@somebody_with_a_long_name #tagtagtag"],
)  # fmt: skip
def test_what_cannot_be_told_is_undetermined(text: str) -> None:
    assert identify(text) == ("und", None)


def test_a_long_text_is_read_only_at_its_start() -> None:
    text = "Nobody answers my letters, and the parcel is still missing. " * 100_000
    assert identify(text) == identify(text[:2_000])


def test_threads_share_one_identifier() -> None:
    texts = ["Nobody answers my letters.", "Niekas neatsako į mano laiškus."] * 50
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(identify, texts)) == [identify(text) for text in texts]


def test_a_text_in_five_languages_is_named_with_little_confidence_or_not_at_all() -> None:
    parts = [
        "The parcel never arrived and nobody answers.",
        "Paczka nie dotarła, a infolinia milczy od tygodnia.",
        "Siunta taip ir neatkeliavo, niekas neatsako.",
        "Das Paket kam nie an und niemand antwortet.",
        "Paket nije stigao, a na poruke nitko ne odgovara.",
    ]
    tag, probability = identify(" ".join(parts))
    assert tag == "und" or (probability or 0) < 0.5
    for part in parts:
        assert (identify(part)[1] or 0) > 0.9


def test_a_foreign_sentence_lowers_the_confidence_by_its_share() -> None:
    polish = "Paczka nie dotarła, a infolinia milczy od tygodnia. Nikt nie odpowiada na listy."
    tag, probability = identify(polish + " The parcel never arrived and nobody answers.")
    assert tag == "pl"
    assert 0.6 < (probability or 0) < 0.9


@pytest.mark.parametrize("text", ["Scam, avoid", "ne kupuj ovdje", "super obsługa"])
def test_a_few_words_are_told_without_false_confidence(text: str) -> None:
    tag, probability = identify(text)
    assert tag in {"en", "hr", "pl"} or (probability or 0) < 0.8
