"""Forum software that writes a topic as numbered pages of HTML, the oldest post first.

A run begins at the page where the last one ended, so that it reads what was added; an older post
that was edited is seen only when the source is made anew.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.portions import portion
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import ReadDate, first_date
from crawlers.reading.json_body import words
from crawlers.reading.markup import bare_text, cut_out, found_in, text_in, tree_of
from crawlers.reading.web_address import WebAddress

_NOT_FOUND = 404
_PLACE = "place"  #: in the cursor: the number of the last page that was read


class TopicConfig(Config):
    """One topic, by the address of its first page."""

    url: WebAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Where the software puts things: CSS, of an element as a reader sees it or ``::attr()``."""

    post: str
    number: re.Pattern[str]  #: the post's number, in the attribute ``number_in``
    text: str
    author: tuple[str, ...]
    date: tuple[str, ...]
    topic: str  #: what the page of every topic has, even an empty one
    following: str  #: the link to the next page
    number_in: str = "id"
    anchor: str = "{id}"  #: of a post in the address of its page
    title: str = "h1, h2"
    quoted: str = "blockquote"  #: what others said, signatures and notes of the software


class TopicItem(NamedTuple):
    """One post of a topic, and what its page says of all."""

    element: Selector
    title: str | None
    language: str | None


class TopicSpider(ItemSpider[TopicItem]):
    """Reads the posts of one topic, page after page."""

    family = Family.FORUM
    config = TopicConfig
    minimum_interval_seconds = 600
    is_verified = False
    read_statuses = frozenset({_NOT_FOUND})
    promise = Promise(filled={"text": 0.9, "author": 0.9, "published_at": 0.9})
    marks: ClassVar[Marks]

    @abstractmethod
    def address(self, config: TopicConfig, *, place: int) -> str:
        """The page that begins at a place (a number of a page, or of a post); 0 is the first."""

    @abstractmethod
    def place_of(self, address: str) -> int:
        """The place that an address of this software names; 0 when it names none."""

    @override
    def start(self, config: TopicConfig, *, cursor: Cursor) -> Request:
        """The page where the last run ended: posts are added below."""
        place = cursor.get(_PLACE)
        return Request(url=self.address(config, place=place if isinstance(place, int) else 0))

    @override
    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read a page; the cursor remembers the page itself, not only its newest post.

        A topic that has become shorter than the page asked for is read from its first page.
        """
        place = self.place_of(fetched.url)
        again = Page(
            next=Request(url=self.address(config, place=0)), ahead={**ahead, _PLACE: 0}, announced=0
        )
        if place and fetched.status == _NOT_FOUND:
            return again
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        if place and not page.posts and not page.problems:
            return again
        return replace(page, ahead={**page.ahead, _PLACE: place})

    @override
    def listing(self, fetched: Fetched, text: str, config: TopicConfig) -> Listing[TopicItem]:
        """The posts of the page, without what they quote."""
        tree = tree_of(text)
        found = portion(tree.css(self.marks.post), fetched)
        if not found.items and not tree.css(self.marks.topic):
            raise unexpected(fetched, text, lacks="topic of a forum")
        title = tree.css(self.marks.title).xpath("string()").get()
        topic = words(" ".join((title or "").split())), tree.xpath("/html/@lang").get()
        return Listing(
            items=[TopicItem(one, *topic) for one in found.items],
            announced=len(found.items),
            next=found.rest or (self._following(tree, fetched, config) if found.items else None),
            is_sorted=False,
        )

    def _following(
        self, tree: Selector, fetched: Fetched, config: TopicConfig
    ) -> Request | DriftError | None:  # fmt: skip
        link = tree.css(self.marks.following).attrib.get("href")
        if link is None:
            return None
        place = self.place_of(link)
        if place <= self.place_of(fetched.url):
            return DriftError(f"the next page would be no later one ({link[:200]})")
        return Request(url=self.address(config, place=place))

    @override
    def id_of(self, item: TopicItem) -> str | None:
        """The number that the software gave."""
        found = self.marks.number.search(item.element.attrib.get(self.marks.number_in, ""))
        return found[1] if found else None

    @override
    def post(self, item: TopicItem, fetched: Fetched, config: TopicConfig) -> Post | None:
        """One post of the topic."""
        external_id, element = self.id_of(item), item.element
        if external_id is None:
            raise ParseError("number", url=fetched.url, item=element.get()[:500])
        text = self._text(element)
        if not text:
            raise ParseError("text", url=fetched.url, item=element.get()[:500])
        published_at, quality = self._date(item, fetched)
        return Post(
            external_id=external_id,
            text=text,
            title=item.title,
            url=self._link(config, fetched, external_id),
            kind=PostKind.POST,
            author=_first(element, self.marks.author),
            published_at=published_at,
            published_quality=quality,
        )

    def _link(self, config: TopicConfig, fetched: Fetched, external_id: str) -> str:
        page = self.address(config, place=self.place_of(fetched.url))
        return f"{page}#{self.marks.anchor.format(id=external_id)}"

    def _text(self, item: Selector) -> str:
        bodies = item.css(self.marks.text)
        if not bodies:
            return ""
        whole, quotes = text_in(bodies[0]), bodies.css(self.marks.quoted)
        for quoted in quotes:
            cut_out(quoted.root, keep=bodies[0].root)
        return (text_in(bodies[0]) if quotes else whole) or whole

    def _date(self, item: TopicItem, fetched: Fetched) -> ReadDate:
        return first_date(
            _found(item.element, self.marks.date),
            now=fetched.fetched_at,
            zone=fetched.time_zone,
            languages=[item.language] if item.language else [],
        )


def _first(item: Selector, rules: tuple[str, ...]) -> str | None:
    """What the first rule that finds something finds."""
    return next(_found(item, rules), None)


def _found(item: Selector, rules: tuple[str, ...]) -> Iterator[str]:
    """What rules find, one after the other; ``css::text`` is each text of its own, no child's."""
    for rule in rules:
        found = found_in(item, rule)
        values = found if "::" in rule else map(bare_text, found[:1])
        yield from filter(None, (words(" ".join(value.split())) for value in values))
