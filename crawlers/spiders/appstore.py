"""Apple App Store: the feed of customer reviews of one app in one country, as JSON."""

from __future__ import annotations

import re

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Fetched, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import Json, at, counts, known, listed, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import WebAddress, joined

BEST_RATING = 5
MOST_PAGES = 10  #: the feed has no more, of fifty reviews each
_PAGE = re.compile(r"/page=(?P<number>\d{1,3})(?:/|$)")
_AUTHOR = re.compile(r"/id(?P<number>\d{1,20})(?:[/?#]|$)")


class AppStoreConfig(Config):
    """An app (or a podcast), by the number in the address of its page."""

    app_id: str = Field(pattern=r"^\d{4,15}$")
    country: str = Field(default="us", pattern=r"^[a-z]{2}$", description="of the store")
    base_url: WebAddress = "https://itunes.apple.com"


class AppStore(JsonSpider):
    """The five hundred newest reviews of one country.

    The one date of a review is that of its last change. Developers' answers are not in the feed.
    """

    kind = "appstore"
    title = "Apple App Store reviews"
    config = AppStoreConfig
    minimum_interval_seconds = 1800
    is_verified = True
    is_limited = True
    promise = Promise(filled={"title": 0.9, "author": 0.9, "rating": 0.95, "published_at": 0.95})

    @override
    def start(self, config: AppStoreConfig, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: edits show there."""
        return _page(config, number=1)

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The reviews: one alone is no array, and old feeds list the app itself as well."""
        feed = at(body, "feed")
        if feed is None:
            raise DriftError("the answer has no feed")
        entry = at(feed, "entry")
        entries = [entry] if isinstance(entry, dict) else list(listed(entry))
        reviews = [one for one in entries if not _is_app(one)]
        last = _number(_link(feed, "last"))
        if not reviews and last > 1 and _number(fetched.url) == 1:
            raise DriftError(f"the feed says that it has {last} pages, and the first lists nothing")
        return reviews

    @override
    def following(self, body: Json, fetched: Fetched, config: AppStoreConfig) -> Request | None:
        """The next number, as long as the feed has one; on the last page it names that itself."""
        number = max(_number(fetched.url), 1)
        has_more = _number(_link(at(body, "feed"), "next")) > number
        return _page(config, number=number + 1) if has_more and number < MOST_PAGES else None

    @override
    def id_of(self, item: Json) -> str | None:
        """The number of a review."""
        return _label(item, "id")

    @override
    def post(self, item: Json, fetched: Fetched, config: AppStoreConfig) -> Post:
        """Read one review."""
        external_id = self.id_of(item)
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        text, title = tidy(_label(item, "content") or ""), _label(item, "title")
        if not text and not title:
            raise ParseError("content", url=fetched.url, item=item)
        rating = _rating(item)
        published_at, quality = read_date(_label(item, "updated"), now=fetched.fetched_at)
        link = words(at(item, "link", "attributes", "href"))
        return Post(
            external_id=external_id,
            text=text,
            title=title,
            url=joined(config.base_url, link) or _app(config),
            kind=PostKind.REVIEW,
            author=_label(item, "author", "name"),
            author_id=_author_id(item),
            published_at=published_at,
            published_quality=quality,
            rating=rating,
            rating_scale=float(BEST_RATING) if rating is not None else None,
            engagement=counts(
                votes=_count(item, "im:voteCount"), votes_sum=_count(item, "im:voteSum")
            ),
            extra=known(version=_label(item, "im:version"), country=config.country),
        )


def _page(config: AppStoreConfig, *, number: int) -> Request:
    path = f"page={number}/id={config.app_id}/sortby=mostrecent/json"
    base = config.base_url.rstrip("/")
    return Request(
        url=f"{base}/{config.country}/rss/customerreviews/{path}",
        headers={"Accept": "application/json"},
    )


def _app(config: AppStoreConfig) -> str:
    return f"{config.base_url.rstrip('/')}/{config.country}/app/id{config.app_id}"


def _is_app(entry: Json) -> bool:
    """The app's own entry has a name, an artist and no rating."""
    return at(entry, "im:rating") is None and at(entry, "im:artist") is not None


def _label(item: Json, *path: str) -> str | None:
    return words(at(item, *path, "label"))


def _link(feed: Json, relation: str) -> str:
    links = at(feed, "link")
    for link in [links] if isinstance(links, dict) else listed(links):
        if at(link, "attributes", "rel") == relation:
            return words(at(link, "attributes", "href")) or ""
    return ""


def _number(address: str) -> int:
    """The page that an address names; 0 when it names none."""
    found = _PAGE.search(address)
    return int(found["number"]) if found else 0


def _rating(item: Json) -> float | None:
    said = _label(item, "im:rating") or ""
    return float(said) if said in {"1", "2", "3", "4", "5"} else None


def _count(item: Json, key: str) -> int | None:
    said = _label(item, key) or ""
    return int(said) if re.fullmatch(r"-?[0-9]{1,9}", said) else None


def _author_id(item: Json) -> str | None:
    found = _AUTHOR.search(_label(item, "author", "uri") or "")
    return found["number"] if found else None
