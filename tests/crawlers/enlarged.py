"""A saved page whose last item stands there many thousand times, each time as another post."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from lxml import etree

from crawlers.catalogue import spiders
from crawlers.contract import Page
from tests.crawlers.saved_pages import SavedPage, config_of, parse, saved_pages

_PLACE = "here-are-the-copies"
_FRAMES = ("body", "main", "channel")  #: of a page with a single post
_NAME = re.compile(r"[A-Za-z0-9]+(?=[^A-Za-z0-9]*$)")
_WORDS = re.compile(r"[^\W\d_]{2,}(?: [^\W\d_]+){0,3}")


def page_of(kind: str, *, name: str | None = None) -> SavedPage:
    """The page of that name, else the one with the most posts."""
    pages = [page for page in saved_pages(kind) if page.expected.get("posts")]
    if name is not None:
        return next(page for page in pages if page.path.stem == name)
    return max(pages, key=lambda page: len(page.expected["posts"]))


class Enlarged:
    """A page in three parts: what stands above the copied item, the item, and what is below."""

    def __init__(self, page: SavedPage) -> None:
        self.page = page
        self._posts = page.expected["posts"]
        text = page.path.read_bytes().decode("utf-8")
        split = _split_json if text.lstrip()[:1] in "{[" else _split_markup
        whole, self._item, self._joint = split(text, self._markers())
        self._above, self._below = whole.split(_PLACE)
        self._pattern = self._numbered()

    def body(self, copies: int) -> bytes:
        """The page with so many posts of one layout."""
        items = (self._copy(10**8 + number) for number in range(copies))
        return f"{self._above}{self._joint.join(items)}{self._below}".encode()

    @property
    def url(self) -> str:
        """Where the page stands."""
        given = self.page.expected.get("given", {})
        spider = spiders()[self.page.kind]
        config = spider.config(**(config_of(self.page.kind) | given.get("config", {})))
        return str(given.get("url") or spider.start(config, cursor={}).url)

    def read(self, body: bytes, **given: Any) -> Page:
        """Read a body under the circumstances of the saved page."""
        return parse(self.page.kind, body, **{**self.page.expected.get("given", {}), **given})

    def copies_in(self, size: int) -> int:
        """How many copies make a page of so many bytes."""
        frame, item = len(self.body(0)), len(self._copy(10**8).encode())
        return max(1, (size - frame) // item)

    def _markers(self) -> list[str]:
        """What tells the posts apart in the source."""
        told = [_marker(post) for post in self._posts]
        is_telling = len(told) == 1 or len({*told}) > 1
        return told if is_telling else [post["external_id"] for post in self._posts]

    def _numbered(self) -> re.Pattern[str]:
        """What differs from copy to copy: the name of the post, and the begin of its text."""
        marker, post = next(
            (marker, post)
            for marker, post in zip(self._markers(), self._posts, strict=True)
            if marker in self._item
        )
        found = _NAME.search(post["external_id"])
        token = found[0] if found and found[0] in self._item and len(found[0]) > 1 else None
        told = [re.escape(marker)] if marker != post["external_id"] else []
        if token:
            sign = r"\d" if token.isdigit() else "[A-Za-z0-9]"
            told.insert(0, rf"(?<!{sign}){re.escape(token)}(?!{sign})")
        self._token = token
        return re.compile("|".join(told))

    def _copy(self, number: int) -> str:
        def replaced(found: re.Match[str]) -> str:
            token = self._token
            if token is not None and found[0] == token:
                return str(number).rjust(len(token), "1")
            return f"{found[0]} no {number}"

        return self._pattern.sub(replaced, self._item)


def _marker(post: dict[str, Any]) -> str:
    told = sorted(_WORDS.findall(post.get("text") or post.get("title") or ""), key=len)
    return told[-1] if told else post["external_id"]


def _split_json(text: str, markers: list[str]) -> tuple[str, str, str]:
    try:
        data = json.loads(text)
    except ValueError:
        return _split_lines(text, markers)
    held, place = _holder(data, markers)
    item = held[place]
    held[place] = _PLACE
    return _dumped(data).replace(f'"{_PLACE}"', _PLACE), _dumped(item), ","


def _split_lines(text: str, markers: list[str]) -> tuple[str, str, str]:
    """A message of JSON on each line."""
    item = next(
        one for one in reversed(text.splitlines()) if sum(marker in one for marker in markers) == 1
    )
    return text.replace(item, _PLACE, 1), item, "\n"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _holder(data: Any, markers: list[str]) -> tuple[Any, int]:
    """The array whose elements are posts, and the last of them that holds one alone."""
    found = [
        (sum(map(bool, told)), -depth, held, max(p for p, n in enumerate(told) if n == 1))
        for depth, held in enumerate(_arrays(data))
        if 1 in (told := [sum(marker in _dumped(one) for marker in markers) for one in held])
    ]
    _, _, held, place = max(found, key=lambda one: one[:2])
    return held, place


def _arrays(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _arrays(one)


def _split_markup(text: str, markers: list[str]) -> tuple[str, str, str]:
    is_xml = text.lstrip("\ufeff \n").startswith("<?xml") or "<rss" in text[:300]
    parser = etree.XMLParser() if is_xml else etree.HTMLParser(encoding="utf-8")
    root = etree.fromstring(text.encode(), parser)
    for script in root.iter("script"):
        if script.text and any(marker in script.text for marker in markers):
            whole, item, joint = _split_script(script.text, markers)
            return text.replace(script.text, whole), item, joint
    method = "xml" if is_xml else "html"

    def source(element: Any) -> str:
        return str(etree.tostring(element, encoding="unicode", method=method, with_tail=False))

    item = _element(root, markers)
    copied = source(item)
    item.getparent().replace(item, etree.Comment(_PLACE))
    whole = source(root).replace(f"<!--{_PLACE}-->", _PLACE)
    return ("" if is_xml else "<!DOCTYPE html>") + whole, copied, ""


def _split_script(text: str, markers: list[str]) -> tuple[str, str, str]:
    for begin in re.finditer(r"[\[{]", text):
        with suppress(ValueError):
            data, end = json.JSONDecoder().raw_decode(text[begin.start() :])
            whole, item, joint = _split_json(_dumped(data), markers)
            return text[: begin.start()] + whole + text[begin.start() + end :], item, joint
    raise LookupError("no JSON in the script")


def _element(root: Any, markers: list[str]) -> Any:
    """The largest element that holds the words of one post and of no other."""
    for marker in reversed(markers):
        for element in root.iter(etree.Element):
            if marker in " ".join("".join(element.itertext()).split()):
                held = "".join(element.itertext())
                told = sum(one in " ".join(held.split()) for one in markers)
                if told == 1 and element.getparent() is not None and element.tag not in _FRAMES:
                    return element
    raise LookupError("no element holds one post")
