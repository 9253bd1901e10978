"""Whose words stand in a card: answers leave the customer's text, and nothing else does."""

from __future__ import annotations

import re

import pytest
from parsel import Selector

from crawlers.errors import ParseError
from crawlers.families.card_parts import split
from crawlers.families.cards import labelled
from crawlers.reading.markup import text_of, tree_of
from crawlers.reading.numbers import decimal, whole_number

ANSWER = re.compile(r"(?:business|customer) response", re.I)
URL = "https://board.example/"


def card(inner: str) -> Selector:
    return tree_of(f"<ul><li id=a>{inner}</li><li id=b>another card</li></ul>").css("#a")[0]


@pytest.mark.parametrize(
    "answer",
    [
        "<div><div><h4>Business Response</h4><span>x</span></div><div>We are sorry.</div></div>",
        "<h4>Business Response</h4><p>x</p><p>We are sorry.</p>",
        "<div><header><b>Business Response</b></header>x<p>We are sorry.</p></div>",
        "<div><p class=answer-heading>Business response</p>x<p>We are sorry.</p></div>",
    ],
)
def test_an_answer_is_found_however_it_is_wrapped(answer: str) -> None:
    rest, parts = split(card(f"<p>It burned.</p>{answer}"), titled=ANSWER, url=URL)
    assert text_of(rest.get()) == "It burned."
    assert [" ".join(part.text.split()) for part in parts] == ["x We are sorry."]


def test_answers_come_in_order_and_text_behind_them_stays() -> None:
    inner = (
        "One <div><h4>Business response</h4><p>A</p></div> two "
        "<div><h4>Customer response</h4><p>B</p></div> three"
    )
    rest, parts = split(card(inner), titled=ANSWER, url=URL)
    assert "".join(rest.xpath(".//text()").getall()).split() == ["One", "two", "three"]
    assert [(part.heading, part.text) for part in parts] == [
        ("Business response", "A"),
        ("Customer response", "B"),
    ]


def test_the_card_itself_is_left_as_it_was() -> None:
    whole = card("<p>It burned.</p><h4>Business response</h4><p>Sorry.</p>")
    before = whole.get()
    split(whole, titled=ANSWER, url=URL)
    assert whole.get() == before


def test_a_customer_cannot_pass_a_complaint_off_as_an_answer() -> None:
    inner = "<p>It burned.</p><p>Business response</p><p>My hand is burned, too.</p>"
    rest, parts = split(card(inner), titled=ANSWER, url=URL)
    assert parts == []
    assert "My hand is burned, too." in text_of(rest.get())


def test_a_card_of_thousands_of_answers_is_none() -> None:
    with pytest.raises(ParseError, match="parts"):
        split(card("<h4>Business response</h4><p>x</p>" * 5000), titled=ANSWER, url=URL)


def test_a_label_is_read_on_its_line_and_on_the_next() -> None:
    assert labelled("Type: Billing\nStatus:\n\nResolved\n", "status") == "Resolved"
    assert labelled("Type: Billing", "(?:complaint )?type") == "Billing"
    assert labelled("My status is bad", "status") is None
    assert labelled("Status:", "status") is None


def test_numbers_are_read_whole_or_not_at_all() -> None:
    assert [whole_number(one) for one in ("1,014 people", "rebuttal-88003", "none", None)] == [
        1014, 88003, None, None,
    ]  # fmt: skip
    assert [decimal(one) for one in ("1.5", " 4 ", "4 of 5", "nan", "", None)] == [
        1.5, 4.0, None, None, None, None,
    ]  # fmt: skip
