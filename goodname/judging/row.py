"""One line of the input, and the row that it becomes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from goodname.judging.lines import MOST_BYTES, Line
from sentiment.document import Document, document
from sentiment.judge import Judgement

#: What is added; a field of the input with such a name is kept as ``input_<name>``.
ADDED: Final = frozenset({
    "language", "sentiment", "severity", "categories", "evidence", "language_p", "sentiment_p",
    "severity_p", "category_p", "error", "line",
})  # fmt: skip
MOST_DEPTH: Final = 200  #: objects and lists in each other; far less than Python can walk
SHOWN_BYTES: Final = 500  #: of a line that is no JSON object


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Where in a line things stand, and what is added to it."""

    text: str = "text"
    language: str | None = None  #: field with the language that the source claims
    probabilities: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line that was read: with a text to judge, or with an error."""

    number: int
    record: Document
    text: str | None
    language: str | None = None
    error: str | None = None


def read_row(line: Line, fields: Fields) -> Row:
    """Never raises: what is wrong with a line is said in its row."""
    if line.data is None:
        return _bad(line, f"line longer than {MOST_BYTES >> 20} MiB", {})
    data = line.data.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.data
    try:
        record = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _bad(line, f"not UTF-8: {error.reason} at byte {error.start}", _start(data))
    except RecursionError:
        return _bad(line, "not JSON: nested too deeply", _start(data))
    except ValueError as error:
        return _bad(line, f"not JSON: {error}", _start(data))
    if not isinstance(record, dict):
        return _bad(line, f"not a JSON object but {_kind(record)}", _start(data))
    if data.count(b"[") + data.count(b"{") > MOST_DEPTH and _is_deep(record):
        return _bad(line, f"nested too deeply: more than {MOST_DEPTH} levels", _start(data))
    return _row(line, record, fields)


def judged_row(row: Row, judgement: Judgement | None, fields: Fields) -> bytes:
    """The line of the output, with its line feed; without a judgement, with the error."""
    kept = {_free(name, row.record): value for name, value in row.record.items()}
    if judgement is None or row.text is None:
        return _encoded({**kept, "line": row.number, "error": row.error})
    added = document(row.text, judgement, probabilities=fields.probabilities)
    if row.language and row.language != added["language"]:
        added["language"] = row.language
        if fields.probabilities:
            added["language_p"] = None
    return _encoded({**kept, **added})


def encoded(value: Mapping[str, Any]) -> str:
    """JSON in one line that every reader accepts: no NaN, no half of a character."""
    try:
        shown = json.dumps(value, ensure_ascii=False, allow_nan=False)
        shown.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return encoded(_finite(value))
    return shown


def _encoded(value: Mapping[str, Any]) -> bytes:
    return encoded(value).encode("utf-8") + b"\n"


def _row(line: Line, record: Document, fields: Fields) -> Row:
    text, is_there = _found(record, fields.text)
    if not is_there:
        names = ", ".join(list(record)[:10]) or "none"
        return Row(number=line.number, record=record, text=None,
                   error=f"no field {fields.text!r}; fields here: {names}")  # fmt: skip
    if not isinstance(text, str):
        return Row(number=line.number, record=record, text=None,
                   error=f"the field {fields.text!r} is not text but {_kind(text)}")  # fmt: skip
    claimed, _ = _found(record, fields.language) if fields.language else (None, False)
    language = claimed.strip() if isinstance(claimed, str) else None
    return Row(number=line.number, record=record, text=text, language=language or None)


def _found(record: Document, name: str) -> tuple[Any, bool]:
    """The field of that name, or along a path such as ``review.body``."""
    if name in record:
        return record[name], True
    value: Any = record
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return None, False
        value = value[part]
    return value, True


def _bad(line: Line, error: str, record: Document) -> Row:
    return Row(number=line.number, record=record, text=None, error=error)


def _start(data: bytes) -> Document:
    shown = data.strip()[:SHOWN_BYTES].decode("utf-8", "replace")
    return {"raw": shown}


def _free(name: str, record: Document) -> str:
    if name not in ADDED:
        return name
    name = f"input_{name}"
    while name in record:
        name = f"input_{name}"
    return name


def _is_deep(record: Document) -> bool:
    """Level by level: a call for each would need the depth that is asked about."""
    level: list[Any] = [record]
    for _ in range(MOST_DEPTH):
        parts = (part for one in level for part in (one.values() if type(one) is dict else one))
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return value


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    if value is None:
        return "null"
    return kinds.get(type(value), "a number")
