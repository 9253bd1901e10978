"""One page of ConsumerAffairs, 2018; counted in its microdata."""

from __future__ import annotations

import re

from bench.recording import Recorded

RECORDED = Recorded(
    kind="consumeraffairs",
    config={"url": "https://www.consumeraffairs.com/recorded.html"},
    files=("consumeraffairs/*",),
    always=frozenset({"text", "author", "published_at", "rating", "engagement"}),
    counted=lambda answer: len(re.findall(rb'itemprop="reviews"', answer.body)),
)
