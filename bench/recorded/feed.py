"""Feeds of news and forums, 2009–2022; counted by feedparser."""

from __future__ import annotations

import json

import feedparser

from bench.recording import Answer, Recorded


def _count(answer: Answer) -> int:
    if answer.body.lstrip().startswith(b"{"):
        return len(json.loads(answer.body)["items"])
    return len(feedparser.parse(answer.body).entries)


RECORDED = Recorded(
    kind="feed",
    config={"url": "https://recorded.example/feed"},
    files=("rss/*",),
    always=frozenset({"title", "published_at"}),
    counted=_count,
)
