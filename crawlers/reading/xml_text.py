"""Make the text of an XML document safe and readable, before a parser sees it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from core.clean import REPLACEMENT
from crawlers.errors import DriftError

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(
    r"&(?:#(?P<number>x[0-9a-f]{1,8}|[0-9]{1,9})|(?P<name>[a-z][a-z0-9]{1,31}));", re.I
)
_BARE = re.compile(r"&(?!(?:#x[0-9a-f]{1,8}|#[0-9]{1,9}|[a-z][a-z0-9]{0,31});)", re.I)
_OWN = frozenset(("amp", "lt", "gt", "quot", "apos"))
_DECLARATION = re.compile(r"\s*<\?xml[^<>]{0,500}\?>", re.I)
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[\]]{0,2000}(?P<inner>\[)?", re.I)
_ENTITY = re.compile(r"<!ENTITY", re.I)
_EDGE = re.compile(r"<(?P<close>/?)(?:[a-z]{1,20}:)?(?:item|entry)(?=[\s/>]|$)", re.I)
_SELF_CLOSED = re.compile(r"[^<>]*/>")
_END_OF_FEED = re.compile(r"</(?:[a-z]{1,20}:)?(?:rss|feed|rdf|channel)\s*>", re.I)


def mended(text: str) -> str:
    """Drop the DTD, and repair what XML forbids; ``DriftError`` when entities are declared."""
    body = _DECLARATION.sub("", text.lstrip("\ufeff \t\r\n"), count=1)
    body = _without_doctype(body)
    return _outside_cdata(_ILLEGAL.sub(REPLACEMENT, body), _mend_references)


def _without_doctype(text: str) -> str:
    found = _DOCTYPE.search(text[:10_000])
    if found is None:
        return text
    end = found.end()
    if found["inner"]:
        closing = text.find("]", end)
        # Entities may expand without end or read files: no feed of today needs them.
        if closing < 0 or _ENTITY.search(text, end):
            raise DriftError("the feed declares XML entities, which we refuse to expand")
        end = closing + 1
    end = text.find(">", end)
    return text[: found.start()] + text[end + 1 :] if end >= 0 else text


def _mend_references(text: str) -> str:
    return _BARE.sub("&amp;", _REFERENCE.sub(_mend_reference, text))


def _mend_reference(found: re.Match[str]) -> str:
    if found["name"]:
        known = found["name"].lower() in _OWN
        named = found[0] if known else html.unescape(found[0])
        # What HTML does not know either is shown as it was written.
        return f"&{found['name'].lower()};" if known else named.replace("&", "&amp;")
    digits = found["number"].lower()
    code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    is_legal = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
    return found[0].lower() if is_legal or 0x10000 <= code <= 0x10FFFF else REPLACEMENT


def _outside_cdata(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to everything but CDATA sections."""
    parts: list[str] = []
    position = 0
    while True:
        opening = text.find("<![CDATA[", position)
        if opening < 0:
            return "".join([*parts, change(text[position:])])
        end = text.find("]]>", opening)
        end = len(text) if end < 0 else end + 3
        parts += [change(text[position:opening]), text[opening:end]]
        position = end


def is_ended(text: str) -> bool:
    """Whether the feed has an end tag, or never had room for one."""
    return bool(_END_OF_FEED.search(text)) or text.rstrip().endswith("/>")


def is_cut_off(text: str) -> bool:
    """Whether the last item was begun and neither it nor its feed was ended."""
    last = max(_EDGE.finditer(text), key=lambda edge: edge.start(), default=None)
    if last is None or last["close"] or _END_OF_FEED.search(text, last.end()):
        return False
    return not _SELF_CLOSED.match(text, last.end())
