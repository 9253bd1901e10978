"""Product reviews of shops that run WooCommerce: the frame of its two APIs."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Fetched, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.json_api import JsonSpider
from crawlers.families.wordpress_lists import PER_PAGE, next_number, total_of
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, known, name_of, stars, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import WebAddress, joined, page_number, with_query

BEST_RATING = 5


class ShopConfig(Config):
    """A shop, by the address of its WordPress (with its folder, if it has one)."""

    url: WebAddress
    products: tuple[int, ...] = Field(
        default=(), max_length=100, description="numbers of products; without any, all of them"
    )


class ShopReviews(JsonSpider):
    """Reviews, newest first, in pages of a hundred; WordPress counts them in its headers."""

    overlap = timedelta(days=7)  #: a review waits for the shop's approval and keeps its date
    is_gapless = True
    promise = Promise(filled={"text": 0.9, "author": 0.9, "published_at": 0.95})
    #: Where the list is, below the address of the shop.
    path: ClassVar[str]
    #: What this API says of each review and the other one does not.
    own_key: ClassVar[str]
    products_key: ClassVar[str]

    @override
    def start(self, config: ShopConfig, *, cursor: Cursor) -> Request:
        """The first page, whatever the cursor: edits show there."""
        return self.page(config, number=1)

    def page(self, config: ShopConfig, *, number: int) -> Request:
        """One page of the list."""
        wanted = {self.products_key: ",".join(map(str, config.products)) or None}
        return Request(
            url=with_query(
                f"{config.url.rstrip('/')}/{self.path}",
                per_page=PER_PAGE,
                page=number,
                order="desc",
                orderby="date_gmt",
                **wanted,
            ),
            headers={"Accept": "application/json"},
        )

    @override
    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The array, of which every object is a review of this API."""
        if code := name_of(at(body, "code")):
            raise DriftError(f"WordPress refuses to list reviews: {code}")
        found = super().items(body, fetched)
        if found and not any(self.own_key in one for one in found if isinstance(one, dict)):
            raise DriftError(f"no item is a review of this API: none has {self.own_key!r}")
        total = total_of(fetched)
        if not found and total and page_number(fetched.url, default=1) == 1:
            raise DriftError(f"the shop says that it has {total} reviews and lists none")
        return found

    @override
    def following(self, body: Json, fetched: Fetched, config: ShopConfig) -> Request | None:
        """The next number, as long as there are more."""
        number = next_number(fetched, listed=len(body))
        return self.page(config, number=number) if number else None

    @override
    def post(self, item: Json, fetched: Fetched, config: ShopConfig) -> Post:
        """Read one review; no stars are 0, which the API also says of a review without any."""
        external_id = self.id_of(item)
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        text = text_of(words(at(item, "review")) or "")
        if not text:
            raise ParseError("review", url=fetched.url, item=item)
        rating = stars(at(item, "rating"), best=BEST_RATING)
        published_at, quality = _date(item, fetched)
        return Post(
            external_id=external_id,
            text=text,
            url=_address(item, external_id, config),
            kind=PostKind.REVIEW,
            author=words(at(item, "reviewer")),
            published_at=published_at,
            published_quality=quality,
            rating=rating,
            rating_scale=float(BEST_RATING) if rating is not None else None,
            extra=known(
                product_id=name_of(at(item, "product_id")),
                product=text_of(words(at(item, "product_name")) or ""),
                is_verified_buyer=at(item, "verified") is True or None,
            ),
        )


def _date(item: Json, fetched: Fetched) -> ReadDate:
    """The time without a zone is that of Greenwich, or else of the shop."""
    found = read_date(words(at(item, "date_created_gmt")), now=fetched.fetched_at)
    written, zone = words(at(item, "date_created")), fetched.time_zone
    return found if found[0] else read_date(written, now=fetched.fetched_at, zone=zone)


def _address(item: Json, external_id: str, config: ShopConfig) -> str:
    """WordPress marks each comment on the page of the product so."""
    product = joined(config.url, words(at(item, "product_permalink")))
    shop = with_query(f"{config.url.rstrip('/')}/", p=name_of(at(item, "product_id")))
    return f"{(product or shop).partition('#')[0]}#comment-{external_id}"
