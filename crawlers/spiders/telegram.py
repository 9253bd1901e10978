"""Telegram: public channels, by the preview pages that it gives to whoever has no account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from parsel import Selector
from pydantic import Field
from typing_extensions import override

from core.types import Post
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    KnownPost,
    Page,
    Promise,
    Request,
)
from crawlers.errors import BlockedError, DriftError
from crawlers.families.cards import said
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.portions import portion
from crawlers.families.telegram_messages import MESSAGES, name_of_message, post_of
from crawlers.reading.answers import read, unexpected
from crawlers.reading.markup import tree_of
from crawlers.reading.web_address import WebAddress, query_of, with_query

_WRAPS = ".tgme_widget_message_wrap"
_ANY = 10**12  # no message has such a number


class TelegramConfig(Config):
    """A public channel, by its name; with words, only the messages that hold them."""

    channel: str = Field(min_length=4, max_length=32, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    query: str = Field(default="", max_length=200)
    base_url: WebAddress = "https://t.me"


class Telegram(ItemSpider[Selector]):
    """Newest first, some twenty a page; read against a page and messages of February 2023.

    Views are rounded by the site. A message can be edited at any time, and its page says so
    without a date; a message of nothing but a picture is a dead letter, for it has no word.
    """

    kind = "telegram"
    title = "Telegram channel"
    family = Family.CARDS
    config = TelegramConfig
    minimum_interval_seconds = 120
    is_verified = True
    is_gapless = True
    overlap = timedelta(hours=6)
    promise = Promise(filled={"published_at": 0.99, "author": 0.95, "engagement": 0.8})

    @override
    def start(self, config: TelegramConfig, *, cursor: Cursor) -> Request:
        """The newest, whatever the cursor: edits show there."""
        return _page(config, before=None)

    @override
    def listing(self, fetched: Fetched, text: str, config: TelegramConfig) -> Listing[Selector]:
        """The messages of a page, which shows the newest last."""
        tree = tree_of(text)
        found = portion(list(reversed(tree.css(MESSAGES))), fetched)
        messages = found.items
        if not messages:
            return Listing(items=(), announced=_said_empty(tree, fetched, text))
        return Listing(
            items=messages,
            announced=max(len(messages), len(tree.css(_WRAPS)) if found.is_all else 0),
            next=found.rest or _older(tree, fetched, config),
        )

    @override
    def id_of(self, item: Selector) -> str | None:
        """The channel and the number of a message that may be unreadable otherwise."""
        return name_of_message(item)

    @override
    def post(self, item: Selector, fetched: Fetched, config: Any) -> Post | None:
        """Read one message."""
        return post_of(item, fetched)

    @override
    def recheck(self, config: TelegramConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for one message as it is shown on other sites."""
        if not posts:
            return None
        address = f"{config.base_url.rstrip('/')}/{posts[0].external_id}"
        return Request(url=with_query(address, embed=1, mode="tme"))

    @override
    def parse_recheck(
        self, fetched: Fetched, config: TelegramConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """The message, or the word that there is none; of any other error nothing follows."""
        text = read(fetched)
        tree = tree_of(text)
        asked = {post.external_id for post in posts}
        messages = [one for one in tree.css(MESSAGES) if name_of_message(one) in asked]
        if messages:
            found, problems, _ = self.read_items(messages, fetched, config)
            return Page(posts=found, problems=problems)
        error = said(tree, ".tgme_widget_message_error")
        if error is None:
            raise unexpected(fetched, text, lacks="message")
        is_gone = error.strip().lower().rstrip(".") == "post not found"
        return Page(gone=tuple(asked) if is_gone else ())


def _page(config: TelegramConfig, *, before: int | None) -> Request:
    address = f"{config.base_url.rstrip('/')}/s/{config.channel}"
    return Request(url=with_query(address, q=config.query.strip() or None, before=before))


def _older(tree: Selector, fetched: Fetched, config: TelegramConfig) -> Request | None:
    """What is older than this page; its number only ever goes down."""
    links = tree.css(".js-messages_more::attr(href), link[rel=prev]::attr(href)").getall()
    before = max(map(_number, links), default=0)
    asked = _number(fetched.url) or _ANY
    return _page(config, before=before) if 0 < before < asked else None


def _number(url: str) -> int:
    """Before which message a page ends; 0 where it does not say."""
    digits = query_of(url).get("before", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else 0


def _said_empty(tree: Selector, fetched: Fetched, text: str) -> int | None:
    """0 where the page says that it has no message; None where it only shows none."""
    if tree.css(".tme_no_messages_found"):
        return 0
    if tree.css(_WRAPS):
        raise DriftError("the page shows messages, and none has a number that we know")
    if tree.css(".tgme_channel_history"):
        return None
    if tree.css(".tgme_page"):
        raise BlockedError("there is no such channel, or it lets nobody read without an account")
    raise unexpected(fetched, text, lacks="list of messages")
