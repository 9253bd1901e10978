"""Pages that describe their reviews by schema.org, and selectors for what they leave out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from parsel import Selector
from pydantic import Field, model_validator
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.review_cards import Cards, drafts_of
from crawlers.families.review_draft import Draft, merged, with_ids
from crawlers.families.schema_reviews import MOST, rated_in, reviews_of
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.markup import tree_of
from crawlers.reading.structured import Described, described, walk
from crawlers.reading.web_address import WebAddress, joined

Named = tuple[str, Draft]
_NEXT = "link[rel~=next]::attr(href), a[rel~=next]::attr(href)"
_NUMBER = "{page}"
_GOES_ON = "goes_on"  #: in the cursor: the last run read more than the first page
# What has a page of its own, on which no review is no surprise; a site's own name is on every one.
_REVIEWED = ("Product", "Business", "Store", "Application", "Book", "Movie", "Restaurant", "Hotel")


class SchemaOrgConfig(Config):
    """A page with reviews."""

    url: WebAddress
    cards: Cards | None = Field(
        default=None, description="selectors for what the page does not describe by itself"
    )
    next_url: str | None = Field(
        default=None,
        max_length=2000,
        description="address of later pages, with {page} for the number; else rel=next is followed",
    )
    languages: tuple[str, ...] = Field(
        default=(), max_length=9, description="of its dates, e.g. pl or en-US, the likeliest first"
    )
    most_pages: int = Field(default=20, ge=1, le=200, description="of one run")

    @model_validator(mode="after")
    def _stays_on_its_site(self) -> Self:
        if self.next_url is None:
            return self
        if self.next_url.count(_NUMBER) != 1 or _place(self.next_url) != _place(self.url):
            raise ValueError(f"next_url has one {_NUMBER} and the scheme and host of url")
        return self


class SchemaOrgSpider(ItemSpider[Named]):
    """Reads JSON-LD, microdata and RDFa, then what the selectors of its config find.

    A review told twice is one. Stars without a word are no post, as long as others have words.
    """

    family = Family.SCHEMA_ORG
    config = SchemaOrgConfig
    read_statuses = frozenset({404, 410})  #: of a page behind the last

    @override
    def start(self, config: SchemaOrgConfig, *, cursor: Cursor) -> Request:
        """The page itself, whatever the cursor: edits show there.

        Where the last run went on behind it, it may not tell what is new there.
        """
        return Request(url=config.url, may_be_unchanged=not cursor.get(_GOES_ON))

    @override
    def parse(
        self, fetched: Fetched, config: SchemaOrgConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read one page; a later one that does not exist ends the list."""
        if fetched.status in self.read_statuses and _page_of(fetched) > 1:
            return Page(ahead=ahead)
        page = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        if _page_of(fetched) > 1:
            return page
        others = {key: value for key, value in page.ahead.items() if key != _GOES_ON}
        return replace(page, ahead=others | ({_GOES_ON: True} if page.next else {}))

    @override
    def listing(self, fetched: Fetched, text: str, config: SchemaOrgConfig) -> Listing[Named]:
        """All that the page tells of reviews, each review once."""
        tellings = described(text, url=fetched.url)
        tree = tree_of(text)
        told = [reviews_of(telling, url=fetched.url) for telling in tellings]
        if config.cards is not None:
            told.append(drafts_of(tree, config.cards, url=fetched.url))
        drafts: list[Draft] = []
        for found in told:
            drafts = merged(drafts, found[:MOST])
        items = with_ids([one for one in drafts if one.says_something] or drafts)
        if not items:
            return self._nothing(tellings, fetched, text)
        return Listing(
            items=items,
            announced=len(items),
            next=_too_many(told, tellings) or _next(tree, items, fetched, config),
            is_sorted=self._is_sorted(items, fetched, config),
        )

    def _nothing(
        self, tellings: Sequence[Described], fetched: Fetched, text: str
    ) -> Listing[Named]:
        """No review is fine where the page describes something, and says of it nothing else."""
        totals = [rated.count for telling in tellings for rated in rated_in(telling)]
        if _page_of(fetched) > 1:
            return Listing(items=())
        if most := max((total for total in totals if total), default=0):
            raise DriftError(
                f"the page says {most} reviews and describes none; selectors (cards) may find them"
            )
        for telling in tellings:
            for loss in telling.losses:
                raise DriftError(loss)
        if 0 not in totals and not any(map(_is_of_something, tellings)):
            raise unexpected(fetched, text, lacks="reviews described by schema.org")
        return Listing(items=(), announced=0 if 0 in totals else None)

    def _is_sorted(self, items: Sequence[Named], fetched: Fetched, config: SchemaOrgConfig) -> bool:
        dates = [_date(draft.published, fetched, config)[0] for _, draft in items]
        known = [moment for moment in dates if moment is not None]
        return len(known) > 1 and all(one >= other for one, other in pairwise(known))

    @override
    def id_of(self, item: Named) -> str | None:
        """The id that the review was given."""
        return item[0]

    @override
    def post(self, item: Named, fetched: Fetched, config: SchemaOrgConfig) -> Post:
        """A review as a post."""
        external_id, draft = item
        if not draft.says_something:
            raise ParseError("reviewBody", url=fetched.url, item=draft)
        published_at, quality = _date(draft.published, fetched, config)
        edited_at = _date(draft.edited, fetched, config)[0]
        is_edited = bool(published_at and edited_at and edited_at > published_at)
        return Post(
            external_id=external_id,
            text=draft.text,
            title=draft.title,
            url=draft.url or config.url,
            kind=PostKind.REVIEW,
            author=draft.author,
            author_id=draft.author_id,
            published_at=published_at,
            published_quality=quality,
            edited_at=edited_at if is_edited else None,
            language=draft.language,
            rating=draft.rating,
            rating_scale=draft.rating_scale,
            extra=draft.extra,
        )


def _date(written: str | None, fetched: Fetched, config: SchemaOrgConfig) -> ReadDate:
    zone, languages = fetched.time_zone, config.languages
    return read_date(written, now=fetched.fetched_at, zone=zone, languages=languages)


def _too_many(
    told: Sequence[Sequence[Draft]], tellings: Sequence[Described]
) -> DriftError | None:  # fmt: skip
    """Why nothing is asked for behind a page of which a part was not read."""
    if max(map(len, told), default=0) > MOST:
        return DriftError(f"the page shows more than {MOST} reviews; the rest was not read")
    return next((DriftError(one.cut) for one in tellings if one.cut), None)


def _is_of_something(telling: Described) -> bool:
    types = (name for thing, _, _ in walk(telling.things) for name in thing.get("@type", ()))
    return any(name.endswith(_REVIEWED) for name in types)


def _next(
    tree: Selector, items: Sequence[Named], fetched: Fetched, config: SchemaOrgConfig
) -> Request | None:
    """The page after this one; none after a page that was read before in the same run."""
    number, seen, this = _page_of(fetched), _seen(fetched), _digest(items)
    if number >= config.most_pages or this in seen:
        return None
    if config.next_url is None:
        url = _linked(tree, fetched, config)
    else:
        url = _numbered(tree, fetched, config.next_url, number)
    return Request(url=url, state={"page": number + 1, "seen": [*seen, this]}) if url else None


def _numbered(tree: Selector, fetched: Fetched, pattern: str, number: int) -> str | None:
    """The next number, unless the page links to others and all of them are lower."""
    shape = re.compile(re.escape(pattern).replace(re.escape(_NUMBER), r"([0-9]{1,6})"))
    links = (joined(fetched.url, link) or "" for link in tree.css("a::attr(href)").getall())
    linked = [int(found[1]) for link in links if (found := shape.fullmatch(link.partition("#")[0]))]
    is_last = bool(linked) and max(linked) <= number
    return None if is_last else pattern.replace(_NUMBER, str(number + 1))


def _linked(tree: Selector, fetched: Fetched, config: SchemaOrgConfig) -> str | None:
    """The link to the next page, if it stays on the site; only its path and query are heeded."""
    links = (joined(fetched.url, link) for link in tree.css(_NEXT).getall())
    site = _site(config.url)
    link = next((one for one in links if one and _site(one) == site), None)
    if link is None or link.partition("#")[0] == fetched.url.partition("#")[0]:
        return None
    whole, there = urlsplit(config.url), urlsplit(link)
    return urlunsplit(whole._replace(path=there.path, query=there.query, fragment=""))


def _page_of(fetched: Fetched) -> int:
    number: Any = fetched.state.get("page")
    return number if isinstance(number, int) and 0 < number < 1000 else 1


def _seen(fetched: Fetched) -> list[str]:
    seen: Any = fetched.state.get("seen")
    return [one for one in seen if isinstance(one, str)] if isinstance(seen, list) else []


def _digest(items: Sequence[Named]) -> str:
    ids = "\x1f".join(name for name, _ in items)
    return hashlib.sha256(ids.encode("utf-8", "replace")).hexdigest()[:12]


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _site(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return (parts.hostname or "").removeprefix("www."), port
