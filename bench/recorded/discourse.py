"""Posts of live Discourse forums, 2013–2026; counted in the plain JSON."""

from __future__ import annotations

import json

from bench.recording import Answer, Recorded

RECORDED = Recorded(
    kind="discourse",
    config={"url": "https://recorded.example"},
    files=("discourse/*posts*.json*", "discourse/t_*.json", "discourse/api_topic.json"),
    always=frozenset({"text", "author", "published_at", "engagement", "extra"}),
    counted=lambda answer: _count(answer),
)


def _count(answer: Answer) -> int:
    body = json.loads(answer.body)
    posts = body.get("latest_posts") or body["post_stream"]["posts"]
    return sum(post["post_type"] == 1 for post in posts)
