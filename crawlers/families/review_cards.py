"""What a few selectors add to the reviews that a page describes by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from cssselect import SelectorError
from parsel import Selector
from parsel.csstranslator import HTMLTranslator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crawlers.families.review_draft import Draft
from crawlers.families.schema_reviews import MOST
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import found_in, text_in
from crawlers.reading.web_address import joined

_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d{1,4})?")


def _checked(css: str) -> str:
    try:
        HTMLTranslator().css_to_xpath(css)
    except SelectorError as error:
        raise ValueError(f"no CSS selector: {error}") from None
    return css


#: CSS as parsel reads it: ``::attr(title)`` takes an attribute, ``::text`` the bare text.
Css = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_checked)]


class Cards(BaseModel):
    """Selectors for what a page does not describe; all but the first count within a card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: Css = Field(description="one review")
    id: Css | None = None
    text: Css | None = Field(default=None, description="all that it finds, joined")
    title: Css | None = None
    author: Css | None = None
    published: Css | None = None
    rating: Css | None = Field(default=None, description="the first number in it counts")
    rating_scale: float = Field(default=5, gt=0, le=1000, description="the best rating")
    url: Css | None = None
    reply: Css | None = Field(default=None, description="the firm's answer")
    reply_published: Css | None = None


def drafts_of(tree: Selector, cards: Cards, *, url: str) -> list[Draft]:
    """One draft a card, in the order of the page; no more than one above the most."""
    return [_draft(card, cards, url) for card in tree.css(cards.card)[: MOST + 1]]


def _draft(card: Selector, cards: Cards, url: str) -> Draft:
    said: Callable[[Css | None], str | None] = partial(_said, card)
    rating = _rating(said(cards.rating), cards.rating_scale)
    reply = known(text=_whole(card, cards.reply), published_at=said(cards.reply_published))
    return Draft(
        name=said(cards.id),
        text=_whole(card, cards.text),
        title=said(cards.title),
        author=said(cards.author),
        published=said(cards.published),
        rating=rating,
        rating_scale=cards.rating_scale if rating is not None else None,
        url=joined(url, said(cards.url)),
        extra=known(reply=reply if "text" in reply else None),
    )


def _said(card: Selector, css: Css | None) -> str | None:
    """The first that says something."""
    found = found_in(card, css) if css else []
    return next((text for one in found if (text := words(_text(one)))), None)


def _whole(card: Selector, css: Css | None) -> str:
    """All that it finds, as it stands on the page: pieces of a line stay in a line."""
    found = found_in(card, css) if css else []
    return " ".join(found).strip() if css and "::" in css else text_in(*found)


def _text(found: Any) -> str:
    return found if isinstance(found, str) else text_in(found)


def _rating(said: str | None, scale: float) -> float | None:
    number = _NUMBER.search(said or "")
    value = float(number[0].replace(",", ".")) if number else None
    return value if value is not None and value <= scale else None
