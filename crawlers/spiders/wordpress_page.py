"""WordPress comments, from the page of one article, whatever its theme.

Themes name their parts as they like, but the software gives every comment a numbered id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.portions import portion
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import ReadDate, first_date
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import bare_text, cut_out, found_in, text_in, text_of, tree_of
from crawlers.reading.web_address import WebAddress, joined

_MOST_PAGES = 20  #: of comments below one article


class WordPressPageConfig(Config):
    """One article, by its address."""

    url: WebAddress


_ID = re.compile(r"(?:li-|div-)?comment-(\d{1,12})")
_BODIES = frozenset({"comment-content", "commenttext", "comment-text", "comment_text"})
_BODY = "comment-body"  #: unless it is an article, which holds more
_PARAGRAPHS = etree.XPath("./p | ./div/p | ./article/p | ./article/div/p")
_BARE = etree.XPath("./text()", smart_strings=False)
_NO_TEXT = re.compile(r"reply|comment-like|comment-meta|commentmetadata|vcard|comment-actions")
_PAGED = re.compile(r"/comment-page-(\d{1,4})\b")


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One comment of a page, and what the page says of all."""

    number: str
    element: Any  #: the outermost with its number; themes give two or three the same
    title: str | None
    language: str

    @cached_property
    def own(self) -> Sequence[Any]:
        """Its elements in the order of the page, without those of the answers inside it."""
        return list(_own(self.element, self.number))

    def first(self, test: Callable[[Any], bool]) -> Any:
        """The first of them that is such; None where there is none."""
        return next(filter(test, self.own), None)


class WordPressPage(ItemSpider[Comment]):
    """Comments in the page of an article, whatever its theme: every comment has a numbered id."""

    kind = "wordpress-page"
    title = "WordPress article page"
    family = Family.CARDS
    config = WordPressPageConfig
    minimum_interval_seconds = 900
    is_verified = True
    promise = Promise(filled={"text": 1.0, "author": 0.8, "published_at": 0.8})

    @override
    def start(self, config: WordPressPageConfig, *, cursor: Cursor) -> Request:
        """The article as readers see it first."""
        return Request(url=config.url)

    @override
    def listing(self, fetched: Fetched, text: str, config: WordPressPageConfig) -> Listing[Comment]:
        """Every comment of the page once; its other pages, if it has some, one after the other."""
        tree = tree_of(text)
        found = portion(_comments(tree), fetched)
        items = found.items
        if not items and not _is_article(tree):
            raise unexpected(fetched, text, lacks="article of WordPress")
        return Listing(
            items=items,
            announced=len(items),
            next=found.rest or _other_page(tree, fetched, config),
            is_sorted=False,  # threads: an answer stands below an older comment
        )

    @override
    def id_of(self, item: Comment) -> str | None:
        """The number in its id."""
        return item.number

    @override
    def post(self, item: Comment, fetched: Fetched, config: WordPressPageConfig) -> Post | None:
        """One comment, without those that answer it."""
        classes = _classes(item.element)
        if classes & {"pingback", "trackback"}:
            return None
        text = _text(item)
        if not text:
            source = Selector(root=item.element, type="html").get()
            raise ParseError("text", url=fetched.url, item=source[:500])
        published_at, quality = _date(item, fetched)
        return Post(
            external_id=item.number,
            text=text,
            title=item.title,
            url=f"{config.url}#comment-{item.number}",
            kind=PostKind.COMMENT,
            author=_author(item),
            published_at=published_at,
            published_quality=quality,
            parent_id=_answered(item),
            extra=known(is_author_of_article="bypostauthor" in classes or None),
        )


def _comments(tree: Selector) -> list[Comment]:
    """The outermost element of each number."""
    title = words(tree.css('head meta[property="og:title"]::attr(content)').get())
    language = tree.xpath("/html/@lang").get() or "en-US"
    found: dict[str, Comment] = {}
    for element in found_in(tree, "[id*=comment-]"):
        number = _ID.fullmatch(element.get("id", ""))
        if number and number[1] not in found:
            found[number[1]] = Comment(
                number=number[1], element=element, title=title, language=language
            )
    return list(found.values())


def _own(element: Any, number: str) -> Iterator[Any]:
    walk = etree.iterwalk(element, events=("start",))
    for _, one in walk:
        found = _ID.fullmatch(one.get("id", ""))
        if found and found[1] != number:
            walk.skip_subtree()
        else:
            yield one


def _classes(element: Any) -> set[str]:
    return set(element.get("class", "").split())


def _author(item: Comment) -> str | None:
    names = [one for one in item.own if "fn" in _classes(one)]
    around = [one for one in item.own if "comment-author" in _classes(one)]
    own = set(item.own)
    links = (link for one in around for link in one.iter("a") if link in own)
    bold = (one for one in names if one.tag == "b")
    firsts = (next(iter(found), None) for found in (bold, names, links, around))
    said = (words(bare_text(one)) for one in firsts if one is not None)
    return next(filter(None, said), None)


def _text(item: Comment) -> str:
    body = item.first(_is_body)
    if body is not None and any(words(said) for said in _BARE(body)):
        return _without_silent(body)
    paragraphs = [one for one in body if isinstance(one.tag, str)] if body is not None else []
    heard = [one for one in paragraphs or _PARAGRAPHS(item.element) if not _is_silent(one)]
    return text_in(*heard) or (text_of(bare_text(body)) if body is not None else "")


def _without_silent(body: Any) -> str:
    """All that it says, where words stand between its elements, too."""
    copy = deepcopy(body)
    for one in [one for one in copy if isinstance(one.tag, str) and _is_silent(one)]:
        cut_out(one)
    return text_in(copy)


def _is_body(element: Any) -> bool:
    classes = _classes(element)
    return not classes.isdisjoint(_BODIES) or (_BODY in classes and element.tag != "article")


def _is_silent(element: Any) -> bool:
    """Whether its begin says that it is no part of the text."""
    return any(_NO_TEXT.search(said) for said in (element.tag, *element.keys(), *element.values()))


def _date(item: Comment, fetched: Fetched) -> ReadDate:
    return first_date(
        _dates(item), now=fetched.fetched_at, zone=fetched.time_zone, languages=[item.language]
    )


def _dates(item: Comment) -> Iterator[str | None]:
    stamped = item.first(lambda one: one.tag == "time" and one.get("datetime") is not None)
    if stamped is not None:
        yield stamped.get("datetime")
    mark = f"#comment-{item.number}"
    link = item.first(lambda one: one.tag == "a" and mark in one.get("href", ""))
    if link is not None:
        yield bare_text(link)
        yield bare_text(link.getparent())


def _answered(item: Comment) -> str | None:
    above = (one.get("id", "") for one in item.element.iterancestors("li"))
    found = _ID.fullmatch(next((name for name in above if "comment-" in name), ""))
    return found[1] if found else None


def _is_article(tree: Selector) -> bool:
    return bool(tree.css('link[href*="/wp-"], script[src*="/wp-"], meta[content^="WordPress"]'))


def _other_page(tree: Selector, fetched: Fetched, config: WordPressPageConfig) -> Request | None:
    """Of the pages that the first one links, the highest that was not read."""
    if "left" in fetched.state:
        left = [int(number) for number in fetched.state["left"]]
    else:
        own = urlsplit(config.url)
        links = (joined(config.url, link) or "" for link in tree.css("a::attr(href)").getall())
        parts = (urlsplit(link) for link in links)
        paths = (
            link.path
            for link in parts
            if link.netloc == own.netloc and link.path.startswith(own.path.rstrip("/"))
        )
        numbers = {int(found[1]) for path in paths if (found := _PAGED.search(path))}
        left = sorted(numbers, reverse=True)[:_MOST_PAGES]
    if not left:
        return None
    address = f"{config.url.partition('?')[0].rstrip('/')}/comment-page-{left[0]}/"
    return Request(url=address, state={"left": left[1:]})
