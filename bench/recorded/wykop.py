"""One answer of Wykop's API v2, 2021, which is retired: the links are v3's by other names."""

from __future__ import annotations

from bench.recording import Recorded

RECORDED = Recorded(
    kind="wykop",
    config={"query": "recorded", "posts": "links"},
    files=("wykop/*",),
    always=frozenset({"title", "text", "author", "published_at", "engagement", "extra"}),
    counted=lambda answer: answer.body.count(b'"vote_count":'),
)
