"""HTML to text and to a tree, without being fooled by its depth.

libxml2 builds no tree below 255 or 2,048 levels and drops what stands there, silently: a way to
hide a post. Its event parser has no such limit, so texts are read from events and always whole.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lxml import etree
from parsel import Selector
from parsel.csstranslator import HTMLTranslator

from core.clean import REPLACEMENT, clean
from crawlers.errors import DriftError


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_PARAGRAPHS = _tags("p blockquote h1 h2 h3 h4 h5 h6 pre ul ol table section article")
_LINES = _tags("br div li tr dt dd hr figure figcaption header footer main option")
_BREAKS = {**dict.fromkeys(_PARAGRAPHS, "\n\n"), **dict.fromkeys(_LINES, "\n")}
_SILENT = _tags("script style template iframe object applet")
# What a parser of HTML lets through and lxml does not take back.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: So deep a tree is walked by functions that call themselves.
_SHALLOW = 200
_TRANSLATOR = HTMLTranslator()
_STRING = etree.XPath("string()", smart_strings=False)
_MANY_BREAKS = re.compile(r"\n{3,}")


def text_of(fragment: str) -> str:
    """Return what a reader sees of a piece of HTML; paragraphs are kept apart by blank lines."""
    if "<" not in fragment and "&" not in fragment:
        return tidy(clean(fragment))
    # The wrapping keeps text before the first tag, and an empty document from being an error.
    document = f"<html><body>{clean(fragment)}</body></html>".encode("utf-8", "replace")
    # lxml takes longer to make a parser than to read a card; one that failed is not used again.
    parser, _OWN.parser = _OWN.parser or _new_parser(), None
    text = str(etree.fromstring(document, parser))
    _OWN.parser = parser
    return text


def text_in(*found: Selector | etree._Element) -> str:
    """What ``text_of`` says of the source of elements, without writing and parsing that again."""
    elements = [one.root if isinstance(one, Selector) else one for one in found]
    parts: list[str] = []
    try:
        for element in elements:
            _collect(element, parts, is_silent=False, levels=_SHALLOW)
    except RecursionError:
        return text_of("".join(map(_source, elements)))
    return _shown(parts)


def _source(element: etree._Element) -> str:
    return str(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _collect(element: etree._Element, parts: list[str], *, is_silent: bool, levels: int) -> None:
    """Texts and breaks; ``RecursionError`` where it is too deep."""
    if not levels:
        raise RecursionError
    tag, text = element.tag, element.text
    mark, is_silent = _BREAKS.get(tag, ""), is_silent or tag in _SILENT
    parts.append(mark)
    if text and not is_silent:
        parts.append(_on_one_line(text))
    for child in element:
        if isinstance(child.tag, str):  # that of a comment is none, and nobody reads comments
            _collect(child, parts, is_silent=is_silent, levels=levels - 1)
        if (tail := child.tail) and not is_silent:
            parts.append(_on_one_line(tail))
    if tag != "br":
        parts.append(mark)


def _on_one_line(text: str) -> str:
    """Line breaks in the source are blanks; only tags break lines."""
    return text.replace("\n", " ").replace("\r", " ")


def _shown(parts: Sequence[str]) -> str:
    return tidy(clean("".join(parts)))


def found_in(found: Selector, css: str) -> list[Any]:
    """Elements at a selector, or strings of ``::attr()``; ``.css`` takes twice the time."""
    return list(_compiled(css)(found.root))


def bare_text(element: etree._Element) -> str:
    """All text in an element as it stands in the source."""
    return str(_STRING(element))


@lru_cache(maxsize=1024)
def _compiled(css: str) -> etree.XPath:
    return etree.XPath(_TRANSLATOR.css_to_xpath(css), smart_strings=False, regexp=False)


def tidy(text: str) -> str:
    """Collapse blanks, keep line breaks, and leave at most one blank line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _MANY_BREAKS.sub("\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()


def tree_of(page: str) -> Selector:
    """Parse a page for CSS; ``DriftError`` when it is nested so deep that parts would be lost."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    root = etree.fromstring(page.encode("utf-8", "replace") or b"<html/>", parser)
    if any("depth" in error.message.lower() for error in parser.error_log):
        raise DriftError("the page is nested so deep that a part of it cannot be read")
    if root is None:
        raise DriftError("the page holds no HTML")
    return Selector(root=root, type="html")


def cut_out(element: etree._Element, *, keep: etree._Element | None = None) -> None:
    """Take an element out of its tree and leave the text behind it; ``keep`` stays."""
    parent = element.getparent()
    if parent is None or element is keep:
        return
    if element.tail:
        # A comment holds the tail: it says nothing itself and is no element to any selector.
        mark = etree.Comment("")
        mark.tail, element.tail = _NO_XML.sub(REPLACEMENT, element.tail), None
        parent.replace(element, mark)
    else:
        parent.remove(element)


class _OfThread(threading.local):
    """What each thread has for itself."""

    parser: etree.HTMLParser | None = None


_OWN = _OfThread()


def _new_parser() -> etree.HTMLParser:
    return etree.HTMLParser(target=_Reader(), encoding="utf-8", huge_tree=True)


class _Reader:
    """Collects text from parser events; a collaborator of lxml, hence the method names.

    It begins anew after each document.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._silent = 0

    def start(self, tag: str, _attributes: object) -> None:
        self._silent += tag in _SILENT
        self._break(tag)

    def end(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        if tag != "br":
            self._break(tag)

    def data(self, text: str) -> None:
        if not self._silent:
            self._parts.append(_on_one_line(text))

    def comment(self, _text: str) -> None:
        """Nobody reads comments."""

    def close(self) -> str:
        parts, self._parts, self._silent = self._parts, [], 0
        return _shown(parts)

    def _break(self, tag: str) -> None:
        self._parts.append(_BREAKS.get(tag, ""))
