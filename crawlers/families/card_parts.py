"""Parts of a card that begin with a heading: answers of firms, rebuttals, later words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from parsel import Selector

from crawlers.errors import ParseError
from crawlers.reading.markup import cut_out, text_in, tidy

# Never p or span: customers write those, and none may pass a complaint off as an answer.
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6", "strong", "b", "dt"})
_NAMED_SO = ("title", "heading")  #: parts of classes
_LONGEST_HEADING = 120
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part, with what its heading says."""

    heading: str
    text: str  #: without the heading, paragraphs kept apart
    id: str | None  #: of its element, where it has one


def split(card: Selector, *, titled: re.Pattern[str], url: str) -> tuple[Selector, list[Part]]:
    """The card without the parts whose headings match (a copy), and those parts in order.

    A part is the largest element that begins with its heading and holds no other; where the
    heading stands alone, what follows it up to the next one. ``ParseError`` for a card of so
    many parts that it is none.
    """
    count = len(_heads(card.root, titled))
    if not count:
        return card, []
    if count > _MOST_PARTS:
        raise ParseError("parts", url=url)
    copy: Any = deepcopy(card.root)
    copy.tail = None
    rest = Selector(root=copy, type="html")
    heads = _heads(copy, titled)
    known = frozenset(heads)
    blocks = [_block(head, known, copy) for head in heads]
    parts = [_part(head, block) for head, block in zip(heads, blocks, strict=True)]
    for block in blocks:
        for element in block:
            cut_out(element)
    return rest, parts


def _heads(card: Any, titled: re.Pattern[str]) -> list[Any]:
    """Elements that are such a heading; of one within another the inner."""
    read = [(one, _string(one)) for one in card.iter("*") if _is_heading(one)]
    found = [one for one, says in read if len(says) <= _LONGEST_HEADING and titled.match(says)]
    known = frozenset(found)
    return [one for one in found if known.isdisjoint(one.iterdescendants())]


def _is_heading(element: Any) -> bool:
    if element.tag in _HEADINGS:
        return True
    name = element.get("class")
    return name is not None and any(part in name for part in _NAMED_SO)


def _block(head: Any, heads: frozenset[Any], card: Any) -> list[Any]:
    block = head
    while (above := block.getparent()) is not None and above is not card:
        is_shared = any(one in heads and one is not head for one in above.iter())
        if is_shared or not _string(above).startswith(_string(head)):
            break
        block = above
    if _string(block) != _string(head):
        return [block]
    return [block, *_until_next(block, heads)]


def _until_next(block: Any, heads: frozenset[Any]) -> Iterator[Any]:
    for element in block.itersiblings():
        if any(one in heads for one in element.iter()):
            return
        yield element


def _part(head: Any, block: Sequence[Any]) -> Part:
    heading = _string(head)
    written = "\n\n".join(filter(None, map(text_in, block)))
    text = written[len(heading) :] if tidy(written).startswith(heading) else written
    ids = [one.get("id") for one in block if one.get("id")]
    return Part(heading=heading, text=text.strip(), id=ids[0] if ids else None)


def _string(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
