"""JSON as people write it into pages: with comments, trailing commas and raw line breaks."""

from __future__ import annotations

import html
import json
import re

from crawlers.errors import DriftError
from crawlers.reading.json_body import Json, parse_json

# Seen around JSON-LD: "<!-- … -->", "//<![CDATA[ … //]]>", and a semicolon behind the object.
_OPENING = re.compile(r"(?://)?\s*+(?:<!--|<!\[CDATA\[)")
_CLOSING = ("-->", "]]>")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*(?:.*?\*/|.*)", re.S)
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*[}\]])", re.S)


def parse_loosely(text: str, *, what: str) -> Json:
    """Parse, strictly first; ``DriftError`` when it is not even nearly JSON."""
    try:
        return parse_json(text, what=what)
    except DriftError:
        cleaned = _cleaned(text)
    try:
        return json.loads(cleaned, strict=False)
    except (ValueError, RecursionError) as error:
        raise DriftError(f"{what} is not JSON: {str(error)[:120]}") from None


def _cleaned(text: str) -> str:
    for _ in range(2):  # one wrapping inside the other
        text = _unwrapped(text)
    if '"' not in text:
        text = html.unescape(text)
    for dropped in (_COMMENT, _TRAILING_COMMA):
        text = dropped.sub(lambda found: found[0] if found[0][0] == '"' else "", text)
    return text


def _unwrapped(text: str) -> str:
    text = text.strip().strip("\ufeff").strip()
    if opening := _OPENING.match(text):
        text = text[opening.end() :]
    if text.endswith(_CLOSING):
        return text[:-3].rstrip().removesuffix("//")
    return text.removesuffix(";")
