"""Reviews of a test shop, 2019, in the envelope of Jetpack; counted by their e-mail addresses."""

from __future__ import annotations

from bench.recording import Recorded

RECORDED = Recorded(
    kind="woocommerce-v3",
    config={"url": "https://recorded.example"},
    files=("woocommerce/*",),
    always=frozenset({"text", "author", "published_at", "rating", "extra"}),
    counted=lambda answer: answer.body.count(b'"reviewer_email"'),
)
