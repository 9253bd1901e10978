"""Sites of cards: each post is one HTML element of a page, found by selectors."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from parsel import Selector
from typing_extensions import override

from crawlers.contract import Cursor, Family, Fetched, Request
from crawlers.errors import DriftError
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.portions import portion
from crawlers.reading.answers import unexpected
from crawlers.reading.json_body import words
from crawlers.reading.markup import found_in, text_in, text_of, tidy, tree_of
from crawlers.reading.web_address import joined, page_number

# Of a page without cards, and of what is read there: it says how many there are near its top.
_HEAD, _SEEN = 500_000, 50_000


class CardSpider(ItemSpider[Selector]):
    """Reads elements of HTML pages; the parts that differ are selectors of a spider."""

    family = Family.CARDS
    cards: ClassVar[str]  #: selector of one item
    noun: ClassVar[str] = "reviews"  #: what an item is, in the reasons of errors
    #: How the site says the total, with one group for the number, e.g. ``(\\d+) complaints``. Of
    #: several on a page the largest counts ("0 in 12 months, 5 in 3 years").
    total: ClassVar[re.Pattern[str]]
    #: How it says that there is nothing, where that is no number.
    says_none: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")

    @abstractmethod
    def page(self, config: Any, *, number: int) -> Request:
        """The request for one page of the list; the first is 1."""

    @override
    def start(self, config: Any, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: edits show there."""
        del cursor
        return self.page(config, number=1)

    @override
    def listing(self, fetched: Fetched, text: str, config: Any) -> Listing[Selector]:
        """The cards of a page; raises where there is none and the page does not say so."""
        tree = tree_of(text)
        found = portion(tree.css(self.cards), fetched)
        cards = found.items
        if not cards:
            self.check_empty(fetched, text)
        return Listing(
            items=cards,
            announced=self.announced(tree, cards) if found.is_all else len(cards),
            next=found.rest or (self.following(tree, fetched, config) if cards else None),
            is_sorted=self.is_sorted(cards, fetched),
        )

    def announced(self, tree: Selector, cards: Sequence[Selector]) -> int:
        """How many items the page marks as such, by whatever means."""
        del tree
        return len(cards)

    def is_sorted(self, cards: Sequence[Selector], fetched: Fetched) -> bool:
        """Whether the newest stands first on this page."""
        del cards, fetched
        return True

    def number(self, url: str) -> int:
        """Which page of the list an address is."""
        return page_number(url, default=1)

    def following(self, tree: Selector, fetched: Fetched, config: Any) -> Request | None:
        """The next page, if this one links to it; only path and number of the link are heeded."""
        number = self.number(fetched.url) + 1
        wanted = self.page(config, number=number)
        links = tree.css("a::attr(href), link[rel~=next]::attr(href)").getall()
        whole = (joined(fetched.url, link) or "" for link in links)
        is_linked = any(
            self.number(one) == number and _path(one) == _path(wanted.url) for one in whole
        )
        return wanted if is_linked else None

    def check_empty(self, fetched: Fetched, text: str) -> None:
        """No card is fine only where the page says so, or behind the first page of a list."""
        seen = text_of(text[:_HEAD])[:_SEEN]
        totals = [(_whole(found[1]), tidy(found[0])) for found in self.total.finditer(seen)]
        if not totals and not self.says_none.search(seen):
            raise unexpected(fetched, text, lacks=f"list of {self.noun}")
        most, says = max(totals, default=(0, ""))
        if most and self.number(fetched.url) == 1:
            raise DriftError(f'the page says "{says}" and shows none that we can read')

    @override
    def id_of(self, item: Selector) -> str | None:
        """The id of a card that may be unreadable otherwise."""
        return words(item.attrib.get("data-id")) or words(item.attrib.get("id"))


def said(card: Selector, css: str) -> str | None:
    """What a reader sees of the first element found; None when it is missing or silent."""
    found = found_in(card, css)
    return words(text_in(found[0])) if found else None


def content(card: Selector, css: str) -> str | None:
    """The ``content`` of the first element found (as in microdata), else what a reader sees."""
    found = found_in(card, css)
    return words(found[0].get("content")) or words(text_in(found[0])) if found else None


def labelled(text: str, label: str) -> str | None:
    """What stands behind "Label:" in a text, on its line or on the next that is not blank."""
    found = re.search(rf"(?im)^[ ]*(?:{label})[ ]*:?[ ]*\n*[ ]*(?P<said>[^\n]{{1,200}})$", text)
    return words(found["said"].strip(" :")) if found else None


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _whole(digits: str) -> int:
    return int(re.sub(r"\D", "", digits) or 0)
