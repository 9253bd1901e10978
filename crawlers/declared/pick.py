"""Values out of an item by the selectors of a site's file, in HTML and in JSON alike."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cssselect import SelectorError
from parsel import Selector

from crawlers.declared.site import Reply, Rule
from crawlers.reading.json_body import Json, name_of
from crawlers.reading.markup import found_in, text_in, text_of, tidy

_ENDING = re.compile(r"(?s)(?P<css>.*?)(?P<what>::text|::attr\(\s*(?P<name>[\w:.-]+)\s*\))?$")
_LONGEST_MATCHED = 5000  # of what a rule's regular expression looks at
_NOTHING = Selector("<p>")


class Answered(NamedTuple):
    """A firm's answer as it stands in the page."""

    text: str
    author: str | None
    dates: list[str]


class Item(ABC):
    """A piece of an answer from which rules take their values."""

    enclosing_id: str | None = None  #: of the item inside which this one stands
    answered: Answered | None = None  #: what a firm said to it

    @abstractmethod
    def said(self, selector: str) -> Iterator[str]:
        """What stands at a selector, in the order of the page; empty ones too."""

    @abstractmethod
    def excerpt(self) -> str:
        """Its beginning, for whoever looks into a dead letter."""

    def has(self, selector: str) -> bool:
        """Whether there is anything at a selector."""
        return next(self.said(selector), None) is not None

    def note_reply(self, reply: Reply | None) -> None:
        """Remember the firm's answer: it often stands in what is cut out for the post itself."""
        text = self.all(reply.text) if reply else ""
        if reply and text:
            dates = [one for found in self.values(reply.date) for one in found]
            self.answered = Answered(text, self.first(reply.author), dates)

    def values(self, rule: Rule | None) -> Iterator[list[str]]:
        """For each selector of a rule that says something, all that it says."""
        if rule is None:
            return
        for selector in rule.at:
            found = [value for said in self.said(selector) if (value := _taken(said, rule))]
            if found:
                yield found

    def first(self, rule: Rule | None) -> str | None:
        """The first value of a rule."""
        return next((found[0] for found in self.values(rule)), None)

    def all(self, rule: Rule | None) -> str:
        """All values of the first selector that has any, as paragraphs."""
        return "\n\n".join(next(self.values(rule), []))


def _taken(said: str, rule: Rule) -> str:
    value = said.strip()
    if rule.match is not None:
        found = re.search(rule.match, value[:_LONGEST_MATCHED])
        if found is None:
            return ""
        if rule.form:
            value = found.expand(rule.form).strip()
        else:
            value = ((found[1] if found.re.groups else found[0]) or "").strip()
    if rule.words:
        meant = {word.casefold(): meaning for word, meaning in rule.words.items()}
        return str(meant.get(value.casefold(), ""))
    return value


class HtmlItem(Item):
    """An element, or the whole page."""

    def __init__(self, selector: Selector) -> None:
        self.selector = selector

    def said(self, selector: str) -> Iterator[str]:
        """Text as a reader sees it, an element's own text, or an attribute."""
        place = Place.of(selector)
        found = found_in(self.selector, place.css) if place.css else [self.selector.root]
        for element in found:
            if place.attribute:
                value = element.get(place.attribute)
                if value is not None:
                    yield tidy(value)
            elif place.is_own_text:
                yield tidy("".join(element.xpath("./text()")))
            else:
                yield text_in(element)

    def excerpt(self) -> str:
        """What it says."""
        return text_in(self.selector)[:500]


class JsonItem(Item):
    """A value of a JSON answer."""

    def __init__(self, value: Json) -> None:
        self.value = value

    def said(self, selector: str) -> Iterator[str]:
        """Strings and numbers; a text that holds markup as a reader sees it."""
        value = follow(self.value, selector)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield text_of(one) if "<" in one else tidy(one)
            elif isinstance(one, float):
                yield f"{one:g}"
            elif isinstance(one, int):
                yield name_of(one) or str(one).lower()

    def excerpt(self) -> str:
        """Its beginning as Python writes it."""
        return repr(self.value)[:500]


def follow(value: Json, path: str) -> Json:
    """Go down keys with dots between them, numbers into arrays; ``.`` stays where it is."""
    for key in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 7:
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


class Place(NamedTuple):
    """A CSS selector and what is meant of the element there."""

    css: str
    is_own_text: bool
    attribute: str | None

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, selector: str) -> Place:
        """Split a selector of a site's file."""
        found: Any = _ENDING.fullmatch(selector.strip())
        return cls(found["css"].strip(), found["what"] == "::text", found["name"])


def check_css(selector: str, *, is_place: bool) -> None:
    """``ValueError`` for what is no CSS selector; an element's ``is_place`` may be its part."""
    place = Place.of(selector) if is_place else Place(selector.strip(), False, None)
    if not place.css and not place.attribute:
        raise ValueError("an empty selector")
    if not place.css:
        return
    if "::" in place.css:
        raise ValueError("only ::text and ::attr(name) are understood, at the end")
    try:
        _NOTHING.css(place.css)
    except (SelectorError, ValueError) as error:
        raise ValueError(f"no CSS selector: {error}") from None
