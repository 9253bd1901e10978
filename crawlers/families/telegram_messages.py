"""Messages of Telegram's public channels, as its own preview pages show them."""

from __future__ import annotations

import re
from typing import Any

from parsel import Selector

from core.types import Post
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.families.cards import said
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import counts, known, words
from crawlers.reading.markup import bare_text, found_in
from crawlers.reading.web_address import joined

SITE = "https://t.me"
_DATE = ".tgme_widget_message_date time::attr(datetime)"
MESSAGES = ".tgme_widget_message[data-post]"
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}/\d{1,12}")
# Seen: "1", "226.2K", "1.24M".
_COUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([KMB]?)")
_TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_TRAILING_COUNT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?[KMB]?)\s*$")
#: What a message without words may be called by, from the likeliest down.
_HEADLINES = (
    ".tgme_widget_message_document_title",
    ".link_preview_title",
    ".tgme_widget_message_location_title",
    ".tgme_widget_message_contact_name",
)


def name_of_message(message: Selector) -> str | None:
    """The name of a message: its channel and its number there, such as kavira_news/12."""
    name = words(message.attrib.get("data-post"))
    return name if name and _NAME.fullmatch(name) else None


def post_of(message: Selector, fetched: Fetched) -> Post | None:
    """Read a message; None for a notice of the channel itself, such as a new picture of it.

    A picture, a sticker or a voice without any word is a ``ParseError``: there is nothing to read.
    """
    if "service_message" in message.attrib.get("class", ""):
        return None
    name = name_of_message(message)
    if name is None:
        raise ParseError("data-post", url=fetched.url, item=message.get()[:500])
    text = _text(message)
    title = None if text else _headline(message)
    if not text and not title:
        raise ParseError("text", url=f"{SITE}/{name}", item=message.get()[:500])
    date = words(next(iter(found_in(message, _DATE)), None))
    published_at, quality = read_date(date, now=fetched.fetched_at)
    return Post(
        external_id=name,
        text=text,
        title=title,
        url=f"{SITE}/{name}",
        # Channels may let their writers sign.
        author=said(message, ".tgme_widget_message_from_author")
        or said(message, ".tgme_widget_message_owner_name"),
        author_id=name.partition("/")[0],
        published_at=published_at,
        published_quality=quality,
        parent_id=_answered(message),
        engagement=counts(
            views=number(said(message, ".tgme_widget_message_views")),
            voters=number(said(message, ".tgme_widget_message_voters")),
            reactions=_reactions(message),
        ),
        extra=_extra(message),
    )


def number(text: str | None) -> int | None:
    """A count as it is shown, e.g. 226200 of "226.2K"; the site rounds it."""
    found = _COUNT.fullmatch((text or "").strip())
    return round(float(found[1]) * _TIMES[found[2]]) if found else None


def _text(message: Selector) -> str:
    """Its words, or the question of its poll; of nested elements of one class the outermost."""
    shown = said(message, ".js-message_text")
    return shown or said(message, ".tgme_widget_message_poll_question") or ""


def _headline(message: Selector) -> str | None:
    return next(filter(None, (said(message, css) for css in _HEADLINES)), None)


def _answered(message: Selector) -> str | None:
    link = next(iter(found_in(message, ".tgme_widget_message_reply::attr(href)")), "")
    name = link.removeprefix(f"{SITE}/").partition("?")[0]
    return name if _NAME.fullmatch(name) else None


def _reactions(message: Selector) -> int | None:
    """How many in all; each is shown as a picture and a count behind it."""
    shown = map(bare_text, found_in(message, ".tgme_reaction"))
    found = (_TRAILING_COUNT.search(one) for one in shown)
    numbers = [number(one[1]) or 0 for one in found if one]
    return sum(numbers) if numbers else None


def _extra(message: Selector) -> dict[str, Any]:
    source = found_in(message, ".tgme_widget_message_forwarded_from_name")
    preview = next(iter(found_in(message, "a.tgme_widget_message_link_preview::attr(href)")), None)
    options = map(bare_text, found_in(message, ".tgme_widget_message_poll_option_text"))
    meta = " ".join(map(bare_text, found_in(message, ".tgme_widget_message_meta")))
    return known(
        forwarded_from=said(message, ".tgme_widget_message_forwarded_from_name"),
        forwarded_link=joined(SITE, source[0].get("href")) if source else None,
        link=joined(SITE, preview),
        poll=[option.strip() for option in options if option.strip()][:20],
        # The page says that it was changed, and not when.
        is_edited="edited" in meta.split() or None,
    )
