"""The feed of a channel, 2015; counted by feedparser."""

from __future__ import annotations

import feedparser

from bench.recording import Recorded

RECORDED = Recorded(
    kind="youtube-channel",
    config={"channel_id": f"UC{'0' * 22}"},
    files=("youtube/*.atom.xml",),
    always=frozenset({"title", "text", "author", "published_at", "engagement"}),
    counted=lambda answer: len(feedparser.parse(answer.body).entries),
)
