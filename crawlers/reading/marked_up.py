"""Reviews in microdata and RDFa, read by extruct: only what can be read soon, and never its errors.

extruct 0.18 raises on odd pages, loses without a word what stands below 255 levels, and takes
quadratic time over many or nested marks. So it gets the marked elements only, and only few.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from crawlers.errors import DriftError
from crawlers.reading.json_body import Json
from crawlers.reading.markup import tree_of

_MOST_ELEMENTS = 40_000
_MOST_MARKS = 3_000
_DEEPEST = 100
_LONGEST = 8_000_000  #: characters, those of a text within a text counted twice
_ELEMENT = 100  #: an element costs as much as so many characters
_MOST_REFERRED = 10_000  #: each reference reads every mark behind it
#: Names of our own for nameless RDFa subjects: extruct gives them in no order without.
NAMELESS = "urn:x-nameless:"
_TYPE = r"(?:[^\"'<>]{0,300}[/:\s])?[A-Za-z]{0,30}(?:Review|AggregateRating)\b"
_MICRODATA = re.compile(r"\bitemtype\s{0,3}=\s{0,3}[\"']?" + _TYPE)
_RDFA = re.compile(r"\btypeof\s{0,3}=\s{0,3}[\"']?" + _TYPE)
_SCOPES = "//*[@itemscope][not(ancestor::*[@itemscope])]"
_SUBJECTS = "//*[@typeof][not(ancestor::*[@typeof])]"
_NAMES = {"about", "resource", "href", "src"}


def microdata(page: str, *, url: str) -> Json:
    """Its items that speak of reviews; ``DriftError`` says why they cannot be read."""
    if not _MICRODATA.search(page):
        return []
    tree = tree_of(page)
    # A reference leads anywhere in the page.
    roots = tree.xpath("/*" if tree.css("[itemref]") else _SCOPES)
    html = _document([one.root for one in roots], marks="itemprop", about="itemtype")
    return _read_by("MicrodataExtractor", html, url, syntax="microdata")


def rdfa(page: str, *, url: str) -> Json:
    """The same of RDFa."""
    if not _RDFA.search(page):
        return []
    roots = [one.root for one in tree_of(page).xpath(_SUBJECTS)]
    for number, element in enumerate(one for root in roots for one in root.iter(etree.Element)):
        if element.get("typeof") is not None and not _NAMES & set(element.attrib):
            element.set("resource", f"{NAMELESS}{number:09}")
    html = _document(roots, marks="property", about="typeof")
    found = _read_by("RDFaExtractor", html, url, syntax="RDFa")
    return sorted(found, key=lambda one: str(one.get("@id")) if isinstance(one, dict) else "")


def _document(roots: Sequence[Any], *, marks: str, about: str) -> bytes:
    """The elements that speak of reviews, below the words that those around them declare."""
    chosen = [root for root in roots if _speaks_of_reviews(root, about)]
    _check(chosen, marks)
    for root in chosen:
        for element in root.iter("time"):
            if not element.get("datetime") and not element.get("content"):
                element.set("datetime", " ".join("".join(element.itertext()).split()))
            if element.get("datetime"):
                element.set("content", element.get("datetime"))
    parts = [
        b"<div" + _declared(root) + b">" + etree.tostring(root, method="html", with_tail=False)
        for root in chosen
    ]
    return b"<html><body>" + b"</div>".join([*parts, b""]) + b"</body></html>"


def _speaks_of_reviews(root: Any, about: str) -> bool:
    types = (element.get(about) or "" for element in root.iter(etree.Element))
    return any("Review" in one or "AggregateRating" in one for one in types)


def _check(roots: Sequence[Any], marks: str) -> None:
    elements = marked = length = references = 0
    for root in roots:
        open_marks, depth = 0, 0
        for event, element in etree.iterwalk(root, events=("start", "end")):
            is_marked = element.get(marks) is not None if event == "start" else False
            depth += 1 if event == "start" else -1
            if event == "start":
                elements, marked = elements + 1, marked + is_marked
                size = _ELEMENT + len(element.text or "") + len(element.tail or "")
                length += size * (1 + open_marks + is_marked)
                references += len((element.get("itemref") or "").split())
            open_marks += _opens(event, element, marks)
            if depth > _DEEPEST:
                raise DriftError(f"reviews are marked up in more than {_DEEPEST} levels")
            is_much = marked > _MOST_MARKS or references * marked > _MOST_REFERRED
            if is_much or elements > _MOST_ELEMENTS or length > _LONGEST:
                raise DriftError("the page marks up more than can be read in a second")


def _opens(event: str, element: Any, marks: str) -> int:
    if element.get(marks) is None:
        return 0
    return 1 if event == "start" else -1


def _declared(root: Any) -> bytes:
    """Vocabulary and prefixes hold for all that is within; names given nearer win."""
    found: dict[str, str] = {}
    for around in root.iterancestors():
        for name, value in around.attrib.items():
            if name in ("vocab", "prefix", "lang") or name.startswith("xmlns:"):
                found.setdefault(name, value)
    element = etree.Element("div")
    for name, value in found.items():
        if ":" not in name:
            element.set(name, value[:2000])
    if spaces := " ".join(f"{n[6:]}: {v}" for n, v in found.items() if ":" in n):
        element.set("prefix", f"{spaces} {element.get('prefix', '')}".strip()[:2000])
    tag: str = etree.tostring(element, method="html").decode("ascii")
    return tag.removeprefix("<div").removesuffix("></div>").encode()


def _read_by(extractor: str, html: bytes, url: str, *, syntax: str) -> Json:
    import extruct  # here, for it costs a second and few pages need it

    try:
        return getattr(extruct, extractor)().extract(html, base_url=url)
    except Exception as error:  # an old library over a stranger's page
        raise DriftError(f"{syntax} cannot be read: {type(error).__name__}") from None
