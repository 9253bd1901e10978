"""WordPress comments, from the page of one article, whatever its theme.

Themes name their parts as they like, but the software gives every comment a numbered id.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, Promise, Request
from crawlers.errors import ParseError
from crawlers.families.items import ItemSpider, Listing
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import ReadDate, first_date
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import text_of, tree_of
from crawlers.reading.web_address import WebAddress, joined

_MOST_PAGES = 20  #: of comments below one article


class WordPressPageConfig(Config):
    """One article, by its address."""

    url: WebAddress


_ID = re.compile(r"(?:li-|div-)?comment-(\d{1,12})")
_BODIES = ".comment-content, .commenttext, .comment-text, .comment_text, .comment-body:not(article)"
_NO_TEXT = re.compile(r"reply|comment-like|comment-meta|commentmetadata|vcard|comment-actions")
_PAGED = re.compile(r"/comment-page-(\d{1,4})\b")


class WordPressPage(ItemSpider[Selector]):
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
    def listing(
        self, fetched: Fetched, text: str, config: WordPressPageConfig
    ) -> Listing[Selector]:
        """Every comment of the page once; its other pages, if it has some, one after the other."""
        tree = tree_of(text)
        items = _comments(tree)
        if not items and not _is_article(tree):
            raise unexpected(fetched, text, lacks="article of WordPress")
        return Listing(
            items=items,
            announced=len(items),
            next=_other_page(tree, fetched, config),
            is_sorted=False,  # threads: an answer stands below an older comment
        )

    @override
    def id_of(self, item: Selector) -> str | None:
        """The number in its id."""
        found = _ID.fullmatch(item.attrib.get("id", ""))
        return found[1] if found else None

    @override
    def post(self, item: Selector, fetched: Fetched, config: WordPressPageConfig) -> Post | None:
        """One comment, without those that answer it."""
        classes = item.attrib.get("class", "").split()
        if {"pingback", "trackback"} & {*classes}:
            return None
        external_id, text = self.id_of(item) or "", _text(item)
        if not text:
            raise ParseError("text", url=fetched.url, item=item.get()[:500])
        published_at, quality = _date(item, external_id, fetched)
        parent = item.xpath("ancestor::li[contains(@id,'comment-')][1]/@id").get()
        answered = _ID.fullmatch(parent or "")
        return Post(
            external_id=external_id,
            text=text,
            title=_title(item),
            url=f"{config.url}#comment-{external_id}",
            kind=PostKind.COMMENT,
            author=_author(item),
            published_at=published_at,
            published_quality=quality,
            parent_id=answered[1] if answered else None,
            extra=known(is_author_of_article="bypostauthor" in classes or None),
        )


def _comments(tree: Selector) -> list[Selector]:
    """The outermost element of each number; themes give two or three the same."""
    found: dict[str, Selector] = {}
    for element in tree.css('[id^="comment-"], [id^="li-comment-"], [id^="div-comment-"]'):
        number = _ID.fullmatch(element.attrib.get("id", ""))
        if number:
            found.setdefault(number[1], element)
    return list(found.values())


def _own(item: Selector, css: str) -> Selector:
    """The first such element of this comment, not of an answer inside it."""
    number = _ID.fullmatch(item.attrib["id"])
    for found in item.css(css):
        owner = found.xpath("ancestor-or-self::*[contains(@id,'comment-')]/@id").getall()
        numbers = [match[1] for one in owner if (match := _ID.fullmatch(one))]
        if number and numbers[-1:] == [number[1]]:
            return found
    return Selector(text="<i/>").css("i")[0]


def _author(item: Selector) -> str | None:
    for css in ("b.fn", ".fn", ".comment-author a", ".comment-author"):
        if author := words(_own(item, css).xpath("string()").get()):
            return author
    return None


def _text(item: Selector) -> str:
    body = _own(item, _BODIES)
    paragraphs = body.xpath("./*").getall() if body.root.tag != "i" else []
    if not paragraphs:
        paragraphs = item.xpath("./p | ./div/p | ./article/p | ./article/div/p").getall()
    heard = [one for one in paragraphs if not _NO_TEXT.search(one.partition(">")[0])]
    return text_of("".join(heard)) or text_of(body.xpath("string()").get() or "")


def _date(item: Selector, external_id: str, fetched: Fetched) -> ReadDate:
    language = item.xpath("ancestor::html/@lang").get() or "en-US"
    stamp = _own(item, "time[datetime]").attrib.get("datetime")
    link = _own(item, f'a[href*="#comment-{external_id}"]')
    texts = (stamp, link.xpath("string()").get(), link.xpath("string(..)").get())
    return first_date(texts, now=fetched.fetched_at, zone=fetched.time_zone, languages=[language])


def _title(item: Selector) -> str | None:
    head = item.xpath("ancestor::html/head")
    return words(head.css('meta[property="og:title"]::attr(content)').get())


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
