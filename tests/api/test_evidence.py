from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.evidence import CUT, Piece, excerpt, headed, pieces
from pipeline.judged_text import judged_text


def reason(because: str, *spans: tuple[int, int]) -> dict[str, object]:
    return {"because": because, "spans": [{"start": start, "end": end} for start, end in spans]}


def test_spans_cut_a_text_into_pieces() -> None:
    assert pieces("It caught fire.", [reason("safety", (3, 14))]) == [
        Piece("It ", None),
        Piece("caught fire", "safety"),
        Piece(".", None),
    ]


def test_of_two_reasons_for_the_same_words_the_stronger_is_told() -> None:
    found = pieces("abcdef", [reason("strong", (1, 3)), reason("weak", (2, 5))])
    assert found == [
        Piece("a", None),
        Piece("bc", "strong"),
        Piece("de", "weak"),
        Piece("f", None),
    ]


def test_title_and_body_are_parted_with_their_marks() -> None:
    told = judged_text("On fire", "It burned down.")
    found = pieces(told, [reason("safety", (3, 7), (12, 18))])
    assert headed("On fire", found) == (
        [Piece("On ", None), Piece("fire", "safety")],
        [Piece("It ", None), Piece("burned", "safety"), Piece(" down.", None)],
    )
    assert headed(None, found)[1] == found


def test_an_excerpt_shows_the_first_reason() -> None:
    told = "x" * 500 + "caught fire" + "y" * 500
    found = excerpt(pieces(told, [reason("safety", (500, 511))]), length=100, before=40)
    assert found[0] == found[-1] == CUT
    assert Piece("caught fire", "safety") in found
    assert sum(len(piece.text) for piece in found[1:-1]) == 100


_NUMBER = st.one_of(st.integers(-5, 60), st.none(), st.text(max_size=2), st.floats())
_SPANS = st.lists(st.one_of(st.none(), st.fixed_dictionaries({"start": _NUMBER, "end": _NUMBER})))
_REASONS = st.lists(st.fixed_dictionaries({"because": st.text(max_size=5), "spans": _SPANS}))


@given(st.text(max_size=50), _REASONS, st.integers(1, 60))
def test_no_span_however_wrong_loses_or_invents_a_letter(
    text: str, reasons: list[dict[str, object]], length: int
) -> None:
    found = pieces(text, reasons)
    assert "".join(piece.text for piece in found) == text
    short = [piece.text for piece in excerpt(found, length=length) if piece is not CUT]
    assert len("".join(short)) == min(length, len(text))
    assert "".join(short) in text
