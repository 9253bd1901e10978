"""HTML to text: what a reader sees, all of it, and nothing else."""

from __future__ import annotations

import pytest

from crawlers.errors import DriftError
from crawlers.reading.markup import cut_out, text_of, tidy, tree_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain  words\n\n\n\nand more", "plain words\n\nand more"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("a <b>bold</b>\n claim", "a bold claim"),
        ("5 &lt; 6 &amp; 7 &euro; &#x27;x&#x27;", "5 < 6 & 7 € 'x'"),
        ("<script>evil()</script><style>p{}</style>seen<!-- unseen -->", "seen"),
        ("before<div>inside", "before\ninside"),
        ("nul\x00 and \ud800", "nul\ufffd and \ufffd"),
        ("<template>no</template>yes", "yes"),
        ("", ""),
        ("&nbsp;", ""),
        ("I <3 this", "I <3 this"),
    ],
)
def test_a_reader_sees(html: str, text: str) -> None:
    assert text_of(html) == text


def test_no_depth_hides_a_text() -> None:
    assert text_of("<div>" * 200_000 + "here" + "</div>" * 200_000 + "<p>after") == "here\n\nafter"


def test_a_tree_says_when_it_would_lose_a_part() -> None:
    with pytest.raises(DriftError, match="deep"):
        tree_of("<div>" * 10_000 + "<p>lost</p>")
    assert tree_of("<div>" * 1000 + "<p>found</p>").css("p::text").get() == "found"


def test_tidy_keeps_paragraphs_and_drops_the_rest() -> None:
    assert tidy(" a\t b \r\n\r\n\r\n c\r d ") == "a b\n\nc\nd"


def test_a_quote_before_control_signs_is_cut_out_and_they_stay_as_gaps() -> None:
    tree = tree_of("<div><blockquote>quoted</blockquote>after \x01 it</div>")
    cut_out(tree.css("blockquote")[0].root)
    (said,) = tree.xpath("string(//div)").getall()
    assert said == "after \ufffd it"
