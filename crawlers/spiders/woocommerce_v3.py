"""WooCommerce: the shop owner's list of product reviews (REST API v3)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from typing_extensions import override

from crawlers.contract import (
    ConfigWithCredential,
    Fetched,
    KnownPost,
    Page,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import AuthError
from crawlers.families.own_host import check_is_for
from crawlers.families.woocommerce import ShopConfig, ShopReviews
from crawlers.families.wordpress_lists import PER_PAGE
from crawlers.reading.answers import read
from crawlers.reading.json_body import Json, at
from crawlers.reading.web_address import with_query

_GONE = frozenset({"spam", "trash"})
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class WooCommerceV3Config(ShopConfig, ConfigWithCredential):
    """A shop of one's own, with a key that may read."""


class WooCommerceV3(ShopReviews):
    """Approved reviews, and, asked again by number, whether one was deleted.

    An answer through Jetpack comes in an envelope (``data``).
    """

    kind = "woocommerce-v3"
    title = "WooCommerce product reviews (owner's key)"
    config = WooCommerceV3Config
    minimum_interval_seconds = 300
    is_verified = True
    secrets = MappingProxyType(
        {
            "shop": "the address of the shop whose key it is",
            "consumer_key": "made in WooCommerce under Advanced, REST API; it may only read",
            "consumer_secret": "shown once beside it",
        }
    )
    recheck_size = PER_PAGE
    path = "wp-json/wc/v3/products/reviews"
    own_key = "status"
    products_key = "product"

    @override
    def body(self, fetched: Fetched, text: str) -> Json:
        """The answer, out of its envelope."""
        body = super().body(fetched, text)
        data = at(body, "data")
        return data if isinstance(data, list) else body

    @override
    def recheck(self, config: WooCommerceV3Config, posts: Sequence[KnownPost]) -> Request:
        """Ask for them by their numbers, in whatever state they are."""
        numbers = ",".join(post.external_id for post in posts)
        request = self.page(config, number=1)
        return replace(request, url=with_query(request.url, include=numbers, status="all"))

    @override
    def parse_recheck(
        self, fetched: Fetched, config: WooCommerceV3Config, posts: Sequence[KnownPost]
    ) -> Page:
        """What is in the answer lives, unless it is spam or trash; what is not was deleted."""
        found = self.items(self.body(fetched, read(fetched)), fetched)
        living = [item for item in found if at(item, "status") not in _GONE]
        read_posts, problems, _ = self.read_items(living, fetched, config)
        ids = set(map(self.id_of, living))
        gone = tuple(post.external_id for post in posts if post.external_id not in ids)
        return Page(posts=read_posts, problems=problems, gone=gone)

    @override
    def sign(
        self,
        request: Request,
        config: WooCommerceV3Config,
        secrets: Secrets,
        *,
        token: Token | None,
    ) -> Request:
        """Basic authentication, which WooCommerce takes over https only; to the key's own shop."""
        check_is_for(request, secrets["shop"], what="the key")
        parts = urlsplit(request.url)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            raise AuthError("the key of a shop is sent over https only")
        pair = f"{secrets['consumer_key']}:{secrets['consumer_secret']}"
        word = base64.b64encode(pair.encode()).decode()
        return replace(request, headers={**request.headers, "Authorization": f"Basic {word}"})
