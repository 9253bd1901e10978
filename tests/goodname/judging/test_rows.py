"""A line of any input becomes a row, and never an exception."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from goodname.judging import lines as reading
from goodname.judging.lines import Input, InputError, Line
from goodname.judging.row import Fields, judged_row, read_row
from tests.pipeline.judges import judgement


def row_of(data: bytes, fields: Fields | None = None, *, number: int = 2) -> dict[str, Any]:
    """The row that a line becomes."""
    fields = fields or Fields()
    row = read_row(Line(number, data), fields)
    judged = None if row.text is None else judgement(row.text)
    written = judged_row(row, judged, fields)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    answer: dict[str, Any] = json.loads(written.decode("utf-8"), parse_constant=refuse)
    return answer


def test_what_is_added_stands_behind_what_was_there() -> None:
    row = row_of('{"id": 7, "text": "ółw on fire"}'.encode())
    assert row["id"] == 7
    assert (row["language"], row["sentiment"], row["severity"]) == ("en", "negative", "critical")
    assert row["evidence"] == [{"text": "fire", "start": 7, "end": 11, "category": "product"}]
    assert "severity_p" not in row
    assert row_of(b'{"text": "x"}', Fields(probabilities=True))["severity_p"]["none"] == 1.0


def test_a_field_of_the_same_name_is_kept_under_another() -> None:
    row = row_of(b'{"text": "x", "sentiment": "gold", "input_sentiment": 1, "error": "E1"}')
    assert (row["sentiment"], row["input_input_sentiment"], row["input_sentiment"]) == (
        "positive", "gold", 1
    )  # fmt: skip
    assert row["input_error"] == "E1"
    assert "error" not in row


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"not json", "not JSON: Expecting value"),
        (b'{"text": "cut', "not JSON: Unterminated string"),
        (b'{"text": "a"} {"text": "b"}', "not JSON: Extra data"),
        (b'{"text": "\xff"}', "not UTF-8: invalid start byte at byte 10"),
        ("text".encode("utf-16"), "not UTF-8"),
        (b"\0\0\0", "not JSON"),
        (b"[" * 200_000, "not JSON: nested too deeply"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "not JSON: Exceeds the limit"),
        (b"[1, 2]", "not a JSON object but a list"),
        (b'"text"', "not a JSON object but a text"),
        (b"null", "not a JSON object but null"),
        (b'{"body": "x"}', "no field 'text'; fields here: body"),
        (b"{}", "no field 'text'; fields here: none"),
        (b'{"text": null}', "the field 'text' is not text but null"),
        (b'{"text": 5}', "the field 'text' is not text but a number"),
        (b'{"text": true}', "the field 'text' is not text but a boolean"),
        (b'{"text": {"a": 1}}', "the field 'text' is not text but an object"),
    ],
)
def test_a_bad_line_is_a_row_that_says_why(data: bytes, error: str) -> None:
    row = row_of(data)
    assert row["error"].startswith(error)
    assert row["line"] == 2
    assert "severity" not in row
    if data.startswith(b"{") and "JSON" not in error and "UTF" not in error:
        assert json.loads(data).items() <= row.items()


@pytest.mark.parametrize(
    "text",
    ["", " ", "\0", "\ud800", "a\u202eb", "\u2028", "x" * 1_000_000, "👩‍👩‍👧", "\x1b[31m"],
)
def test_every_text_is_judged_and_comes_back_as_it_was(text: str) -> None:
    assert row_of(json.dumps({"text": text}).encode())["text"] == text


def test_numbers_that_are_no_json_become_null() -> None:
    row = row_of(b'{"text": "x", "a": NaN, "b": [1.5, {"c": -Infinity, "d": 1e999}]}')
    assert (row["a"], row["b"]) == (None, [1.5, {"c": None, "d": None}])
    # And that in a line that no encoding can hold either.
    assert row_of(b'{"text": "\\ud800", "a": NaN}')["a"] is None


@pytest.mark.parametrize("depth", [150, 600, 900])
@pytest.mark.parametrize("number", [b"1", b"NaN"])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_deep_line_is_judged_or_says_that_it_is_too_deep(
    depth: int, number: bytes, opens: bytes, closes: bytes
) -> None:
    row = row_of(b'{"text": "fire", "deep": ' + opens * depth + number + closes * depth + b"}")
    if depth == 150:
        assert row["severity"] == "critical"
    else:
        assert row["error"] == "nested too deeply: more than 200 levels"
        assert (row["line"], row["raw"][:16]) == (2, '{"text": "fire",')


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    row = row_of(json.dumps({"text": "[" * 500, "wide": [[]] * 500}).encode())
    assert len(row["wide"]) == 500
    assert "error" not in row


def test_a_claimed_language_has_no_probability_of_the_judges() -> None:
    fields = Fields(language="lang", probabilities=True)
    row = row_of(b'{"text": "fire", "lang": "lt"}', fields)
    assert (row["language"], row["language_p"]) == ("lt", None)
    assert row_of(b'{"text": "fire", "lang": "en"}', fields)["language_p"] == 0.9
    bare = row_of(b'{"text": "fire", "lang": "lt"}', Fields(language="lang"))
    assert "language_p" not in bare


def test_the_text_may_lie_deeper_and_the_language_be_known() -> None:
    fields = Fields(text="review.body", language="lang")
    assert row_of(b'{"review": {"body": "fire"}, "lang": "lt"}', fields)["language"] == "lt"
    assert row_of(b'{"review.body": "fire", "lang": ""}', fields)["language"] == "en"
    assert row_of(b'{"review": "fire"}', fields)["error"].startswith("no field 'review.body'")


def test_a_byte_order_mark_is_no_error_at_the_start() -> None:
    marked = b'\xef\xbb\xbf{"text": "x"}'
    assert "error" not in row_of(marked, number=1)
    assert "error" in row_of(marked, number=2)


def read(path: Path) -> list[Line]:
    with Input(path) as source:
        return list(source)


def test_lines_are_numbered_and_blank_ones_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a\r\n\n  \nb\n\nc")
    assert [(line.number, (line.data or b"").strip()) for line in read(path)] == [
        (1, b"a"), (4, b"b"), (6, b"c")
    ]  # fmt: skip


def test_gzip_is_known_by_its_bytes_and_in_several_members(tmp_path: Path) -> None:
    path = tmp_path / "named-like-nothing"
    path.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"b\nc\n"))
    assert [line.data for line in read(path)] == [b"a\n", b"bb\n", b"c\n"]


def test_damage_is_told_behind_the_lines_before_it(tmp_path: Path) -> None:
    path = tmp_path / "in.gz"
    packed = io.BytesIO(gzip.compress(b"".join(b"%d\n" % n for n in range(50_000))))
    path.write_bytes(packed.getvalue()[:-40])
    seen = []
    with Input(path) as source, pytest.raises(InputError, match="damaged after line"):
        seen.extend(source)
    assert len(seen) > 1000


def test_a_line_without_an_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 3 << 20)
    path = tmp_path / "in"
    path.write_bytes(b"a\n" + b"x" * (7 << 20) + b"\nb\n")
    found = read(path)
    assert [line.data for line in found] == [b"a\n", None, b"b\n"]
    assert read_row(found[1], Fields()).error == "line longer than 64 MiB"
