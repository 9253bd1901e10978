"""ConsumerAffairs: cards of complaints in the HTML; off unless an operator adds a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urldefrag

from parsel import Selector
from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import Config, Cursor, Fetched, Page, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.cards import CardSpider, said
from crawlers.families.review_draft import Draft, merged, with_ids
from crawlers.families.schema_reviews import MOST, reviews_of
from crawlers.reading.answers import read
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.json_body import count, counts, known
from crawlers.reading.markup import bare_text, found_in, text_in, tidy, tree_of
from crawlers.reading.numbers import decimal, whole_number
from crawlers.reading.structured import described
from crawlers.reading.web_address import WebAddress, with_query

LANGUAGES = ("en-US",)
# Dates seen: "Original review: Sept. 28, 2018", "Resolution response: Oct. 2, 2018".
_LABELLED = re.compile(r"(?P<label>[^:]{1,40}):\s*(?P<date>.{4,40})", re.S)
_JSON_LD = re.compile(r"application/ld\+json", re.I)
_ID = re.compile(r"#review-(\d{3,12})$")


class ConsumerAffairsConfig(Config):
    """A firm, by the address of its page."""

    url: WebAddress


class ConsumerAffairs(CardSpider):
    """Complaints, newest first, except for one that a firm may feature at the top.

    The firm's reply stands in ``extra["reply"]`` and is no post; the customer's own later word
    on the outcome is part of the text, and its date is that of the edit. The cards are verified
    by a recording of 2018; what a card lacks is taken from the page's JSON-LD, which stands there
    by 2026 as scrapers tell.
    """

    kind = "consumeraffairs"
    title = "ConsumerAffairs complaints"
    config = ConsumerAffairsConfig
    minimum_interval_seconds = 3600
    is_verified = True
    is_opt_in = True
    #: Dates are days, and old reviews come back to the top when they are featured.
    overlap = timedelta(days=7)
    promise = Promise(filled={"author": 0.9, "published_at": 0.9, "rating": 0.5})
    cards = ".rvw[data-id]"
    total = re.compile(r"(\d[\d,]{0,9})\s+(?:consumer )?(?:reviews?|complaints?)\b", re.I)

    @override
    def page(self, config: ConsumerAffairsConfig, *, number: int) -> Request:
        """The first page has no number; the others remember theirs, for the site redirects."""
        if number == 1:
            return Request(url=with_query(config.url, page=None))
        return Request(url=with_query(config.url, page=number), state={"page": number})

    @override
    def parse(
        self, fetched: Fetched, config: ConsumerAffairsConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read the cards, and what the page says of them in JSON-LD."""
        if self.number(fetched.url) < (count(fetched.state.get("page")) or 1):
            return Page(ahead=dict(ahead))  # behind the last page it shows the last again
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        text = read(fetched)
        told = _told(text, fetched)
        if not told:
            return page
        dead_end = page.dead_end
        if page.posts or page.problems:
            posts = _completed(page.posts, told, fetched)
        else:
            dead_end = _cut_off(told)
            named = with_ids(told[:MOST])
            posts = tuple(_post_of(name, one, fetched, config) for name, one in named)
        is_reached = reach.is_reached(cursor, posts, overlap=self.overlap)
        return replace(
            page,
            posts=posts,
            announced=max(page.announced or 0, len(posts)),
            next=None if is_reached else page.next or self._next(text, fetched, config),
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            dead_end=dead_end,
        )

    def _next(self, text: str, fetched: Fetched, config: ConsumerAffairsConfig) -> Request | None:
        return self.following(tree_of(text), fetched, config)

    @override
    def announced(self, tree: Selector, cards: Sequence[Selector]) -> int:
        """The cards, or what microdata marks as a review where that is more."""
        return max(len(cards), len(tree.css('[itemprop="reviews"]')))

    @override
    def check_empty(self, fetched: Fetched, text: str) -> None:
        """Reviews in JSON-LD are as good as cards."""
        if not _told(text, fetched):
            super().check_empty(fetched, text)

    @override
    def post(self, item: Selector, fetched: Fetched, config: ConsumerAffairsConfig) -> Post:
        """One card."""
        return _post(item, self.id_of(item), fetched, config)


def _told(text: str, fetched: Fetched) -> list[Draft]:
    """The reviews that the page describes in JSON-LD."""
    if not _JSON_LD.search(text):
        return []
    found = (one for one in described(text, url=fetched.url) if one.syntax == "json-ld")
    drafts = (draft for one in found for draft in reviews_of(one, url=fetched.url))
    return [draft for draft in drafts if draft.says_something]


def _cut_off(told: Sequence[Draft]) -> DriftError | None:
    if len(told) <= MOST:
        return None
    return DriftError(f"the page describes more than {MOST} reviews; the rest was not read")


def _completed(posts: Sequence[Post], told: Sequence[Draft], fetched: Fetched) -> tuple[Post, ...]:
    """Posts with what only JSON-LD says of them; texts tell which is which."""
    drafts = merged([Draft(text=post.text) for post in posts], told)
    return tuple(_filled(post, draft, fetched) for post, draft in zip(posts, drafts, strict=False))


def _filled(post: Post, draft: Draft, fetched: Fetched) -> Post:
    has_rating, has_date = post.rating is not None, post.published_at is not None
    when, quality = _date(draft.published, fetched)
    return replace(
        post,
        title=post.title or draft.title,
        author=post.author or draft.author,
        rating=post.rating if has_rating else draft.rating,
        rating_scale=post.rating_scale if has_rating else draft.rating_scale,
        published_at=post.published_at if has_date else when,
        published_quality=post.published_quality if has_date else quality,
    )


def _post_of(name: str, draft: Draft, fetched: Fetched, config: ConsumerAffairsConfig) -> Post:
    """A review of which there is no card that we know."""
    numbered = _ID.search(draft.url or name)
    external_id = numbered[1] if numbered else name
    page = urldefrag(config.url).url
    bare = Post(
        external_id=external_id,
        text=draft.text,
        url=f"{page}#review-{external_id}" if numbered else page,
        kind=PostKind.COMPLAINT,
        edited_at=_date(draft.edited, fetched)[0],
        extra=known(reply=draft.extra.get("reply")),
    )
    return _filled(bare, draft, fetched)


def _post(
    card: Selector, external_id: str | None, fetched: Fetched, config: ConsumerAffairsConfig
) -> Post:
    if external_id is None:
        raise ParseError("data-id", url=fetched.url)
    text = "\n\n".join(filter(None, map(text_in, found_in(card, ".rvw-bd p"))))
    if not text:
        raise ParseError("text", url=fetched.url)
    dates = _dates(card, fetched)
    published_at, quality = dates.get("original review", dates.get("review", NO_DATE))
    rating = _number(found_in(card, '[itemprop="reviewRating"] [itemprop="ratingValue"]'))
    scale = _number(found_in(card, '[itemprop="reviewRating"] [itemprop="bestRating"]'))
    return Post(
        external_id=external_id,
        text=text,
        url=f"{urldefrag(config.url).url}#review-{external_id}",
        kind=PostKind.COMPLAINT,
        author=said(card, '[itemprop="author"]'),
        published_at=published_at,
        published_quality=quality,
        edited_at=dates.get("resolution response", dates.get("updated review", NO_DATE))[0],
        rating=rating,
        rating_scale=(scale or 5.0) if rating is not None else None,
        engagement=counts(helpful=_helpful(card)),
        extra=_extra(card, fetched),
    )


def _dates(card: Selector, fetched: Fetched) -> dict[str, ReadDate]:
    """The dates of a card by their labels, in small letters."""
    dates = {}
    for caption in found_in(card, ".rvw-bd span.ca-txt-cpt"):
        labelled = _LABELLED.search(tidy(bare_text(caption)))
        if labelled:
            dates[labelled["label"].strip().lower()] = _date(labelled["date"], fetched)
    return dates


def _date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)


def _number(found: Sequence[Any]) -> float | None:
    return decimal(found[0].get("content")) if found else None


def _helpful(card: Selector) -> int | None:
    """ "14 people found this review helpful"; without a number it is nobody yet."""
    says = said(card, ".js-helpful-count, .rvw-foot__helpful-count")
    return None if says is None else whole_number(says) or 0


def _extra(card: Selector, fetched: Fetched) -> dict[str, object]:
    marks = " ".join(map(bare_text, found_in(card, ".rvw-aut__inf-ver")))
    return known(
        reply=_reply(card, fetched),
        is_verified_reviewer="Verified Reviewer" in marks or None,
        is_verified_buyer="Verified Buyer" in marks or None,
        is_featured=bool(found_in(card, ".rvw__ft-ttl")) or None,
    )


def _reply(card: Selector, fetched: Fetched) -> dict[str, object]:
    reply = card.css(".rvw-comp-resp")
    if not reply:
        return {}
    written = reply.css("time::attr(datetime)").get() or reply.css("time::text").get()
    published_at = _date(written, fetched)[0]
    paragraphs = reply.css(".rvw-comp-resp__txt p, .rvw-comp-resp__txt:not(:has(p))")
    return known(
        text="\n\n".join(filter(None, map(text_in, paragraphs))),
        published_at=published_at.isoformat() if published_at else None,
    )
