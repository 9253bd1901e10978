"""One page of the feed of customer reviews, 2022; counted by the ratings in its text."""

from __future__ import annotations

from bench.recording import Recorded

RECORDED = Recorded(
    kind="appstore",
    config={"app_id": "811377230"},
    files=("appstore/*",),
    always=frozenset({"title", "text", "author", "published_at", "rating", "engagement", "extra"}),
    counted=lambda answer: answer.body.count(b'"im:rating"'),
)
