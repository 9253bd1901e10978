"""What a text element of a feed says to a reader, whichever way it wraps its markup."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lxml import etree

from crawlers.reading.decode import decode
from crawlers.reading.markup import text_of, tidy


def plain_text(node: Any) -> str:
    """Return the text of a title, summary or content element.

    RSS never says whether a text is HTML; Atom says it by ``type`` (and 0.3 by ``mode``). Text
    that would vanish as markup is shown as it was written: nobody hides behind a tag.
    """
    kind, mode = (node.get("type") or "").lower(), (node.get("mode") or "").lower()
    if mode == "base64" or _is_binary(kind):
        return _decoded(node, kind)
    if len(node):
        return text_of(_inside(node))
    written = str(node.text or "")
    if kind in ("text", "text/plain") and mode != "escaped":
        return tidy(written)
    return text_of(written) or tidy(written)


def _is_binary(kind: str) -> bool:
    return "/" in kind and not kind.startswith("text/") and not kind.endswith(("xml", "html"))


def _decoded(node: Any, kind: str) -> str:
    if kind.startswith(("image/", "audio/", "video/")):
        return ""
    try:
        written = decode(base64.b64decode("".join(node.itertext()), validate=False))
    except (binascii.Error, ValueError):
        return ""
    return tidy(written) if kind == "text/plain" else text_of(written)


def _inside(node: Any) -> str:
    """The markup inside an element, without the element."""
    parts = [_escaped(node.text)]
    parts += [etree.tostring(child, encoding="unicode", method="html") for child in node]
    return "".join(parts)


def _escaped(text: str | None) -> str:
    return (text or "").replace("&", "&amp;").replace("<", "&lt;")
