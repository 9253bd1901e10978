"""WooCommerce: the public list of product reviews (Store API v1)."""

from __future__ import annotations

from crawlers.families.woocommerce import ShopConfig, ShopReviews


class WooCommerce(ShopReviews):
    """What every visitor may read; built to the source of WooCommerce's ``ProductReviews`` route.

    No recording of it was found, so it is unverified.
    """

    kind = "woocommerce"
    title = "WooCommerce product reviews (public)"
    config = ShopConfig
    minimum_interval_seconds = 900
    is_verified = False
    path = "wp-json/wc/store/v1/products/reviews"
    own_key = "formatted_date_created"
    products_key = "product_id"
