"""Cleaning keeps what people write, and always knows where it came from."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.neural.clean import HEAD_CHARS, MOST_TRAIL, TAIL_CHARS, clean
from sentiment.neural.model import NeuralModel
from sentiment.neural.tokens import tokenise


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Paczka nie dotarła, żądam zwrotu!", "Paczka nie dotarła, żądam zwrotu!"),
        ("ca\u200bught fi\u00adre\u2060", "caught fire"),
        ("\u202eevil\u202c", "evil"),
        ("hos\x00pital\x07", "hospital"),
        ("a\ud83db", "ab"),
        ("сhаrgеr саught fіrе", "charger caught fire"),
        ("плохo", "плохо"),
        ("Пакет није стигао", "Пакет није стигао"),
        ("ёлка", "ёлка"),
        ("Za\u0315\u0300\u0301\u0302lgo", "Zalgo"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
        ("a  \t b \n\n c", "a b\nc"),
        ("nooooooooooooooo!!!!!!!!!!!!", "noooooooo!!!!!!!!"),
        ("10000000000 EUR", "10000000000 EUR"),
        ("see https://x.example/a?b=c now", "see http now"),
        ("thanks @somebody", "thanks @user"),
        ("a.b@c.example", "@user"),
        ("Tom &amp; Jerry &#33; &#0; &bogus;", "Tom & Jerry !"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<p>The <b>heater</b></p>", "The heater"),
        ('<a title="1 &gt; 2">The &lt;b&gt;oven</a> &amp;lt;i&amp;gt;burned', "The oven burned"),
        ("5 &amp;lt; 6 &lt;3 &amp;amp;amp; 7 &gt; 3", "5 < 6 <3 & 7 > 3"),
        ("m&#1091; ch&#1072;rger", "my charger"),
        ("x aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQgZW5jb2RlZA== y", "x y"),
        ("donaudampfschifffahrtsgesellschaftskapitänsmütze", None),
        ("❤️ 👍🏽", "❤️ 👍🏽"),
    ],
)
def test_what_is_read_of_a_text(given: str, read: str | None) -> None:
    assert clean(given).text == (given if read is None else read)


@given(st.text(st.characters(exclude_categories=()), max_size=200))
@settings(deadline=None)
def test_every_part_knows_where_it_came_from(given: str) -> None:
    cleaned = clean(given)
    assert len(cleaned.text) == len(cleaned.starts) == len(cleaned.ends)
    assert all(a <= b for a, b in zip(cleaned.starts, cleaned.starts[1:], strict=False))
    for place in range(len(cleaned.text)):
        span = cleaned.span(place, place + 1, given)
        assert 0 <= span.start < span.end <= len(given)
    cleaned.text.encode("utf-8")


def test_a_span_points_at_the_word_as_it_was_given() -> None:
    given = "It ca\u200bught\u200b fi\u0301\u0302\u0303\u0304re, said <b>Bob &amp; Ann</b>"
    cleaned = clean(given)

    def found(word: str) -> str:
        start = cleaned.text.index(word)
        span = cleaned.span(start, start + len(word), given)
        return given[span.start : span.end]

    assert found("caught") == "ca\u200bught\u200b"
    assert found("fire") == "fi\u0301\u0302\u0303\u0304re"
    assert found("Bob & Ann") == "Bob &amp; Ann"


def test_a_span_points_through_every_escape() -> None:
    given = "so &amp;lt;b&amp;gt;Bob &amp;amp; Ann&lt;/b&gt; said"
    cleaned = clean(given)
    assert cleaned.text == "so Bob & Ann said"
    span = cleaned.span(3, 12, given)
    assert given[span.start : span.end] == "Bob &amp;amp; Ann"


def test_a_flood_of_hidden_signs_is_no_evidence() -> None:
    given = "fire" + "\u200b" * 5_000_000
    cleaned = clean(given)
    started = time.process_time()
    span = cleaned.span(0, 4, given)
    assert time.process_time() - started < 0.1
    assert (span.start, span.end) == (0, 4 + MOST_TRAIL)


@pytest.mark.parametrize("name", ["<s>", "</s>", "<pad>", "<unk>"])
@pytest.mark.parametrize("escapes", range(7))
@pytest.mark.parametrize("look", ["plain", "wide", "wide letters", "small", "numbers", "hidden"])
def test_no_text_writes_the_encoders_own_pieces(
    small: NeuralModel, name: str, escapes: int, look: str
) -> None:
    inner = name.strip("</>")
    match look:
        case "wide":
            name = name.replace("<", "\uff1c").replace(">", "\uff1e")
        case "small":
            name = name.replace("<", "\ufe64").replace(">", "\ufe65")
        case "wide letters":
            name = name.replace(inner, "".join(chr(ord(c) + 0xFEE0) for c in inner))
        case "numbers":
            name = name.replace(inner, "".join(f"&#{ord(c)};" for c in inner))
        case "hidden":
            name = "\u200b".join(name)
    for _ in range(escapes):
        name = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    cleaned = clean(f"my {name} parcel")
    encoding = small.tokenizer.encode(cleaned.text, add_special_tokens=False)
    assert not {"<s>", "</s>", "<pad>"} & set(encoding.tokens)
    assert not {0, 1, 2} & set(encoding.ids)
    written = [cleaned.text[start:end] for start, end in encoding.offsets]
    assert not any("unk" in part or "pad" in part for part in written)
    [tokens] = tokenise([cleaned], small.tokenizer, small.about)
    assert not {0, 1, 2} & set(tokens.ids[1:-1])


@pytest.mark.parametrize(
    "part", ["word ", "\x00", "<", "@a ", "&#x41;", "http://", "<!--", "é\u0301"]
)
def test_five_megabytes_cost_no_more_than_their_ends(part: str) -> None:
    text = part * (5_000_000 // len(part))
    started = time.process_time()
    cleaned = clean(text)
    assert time.process_time() - started < 2
    assert len(cleaned.text) <= 3 * (HEAD_CHARS + TAIL_CHARS)


def test_a_flood_of_blanks_does_not_push_the_words_out() -> None:
    text = clean("Fire. " + "\u200b \n" * 30_000 + "Burned.").text
    assert text == "Fire.\nBurned."
