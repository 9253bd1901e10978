"""A page of a channel and six messages of others, 2023; counted by their numbers."""

from __future__ import annotations

import re

from bench.recording import Recorded

RECORDED = Recorded(
    kind="telegram",
    config={"channel": "recorded"},
    files=("telegram/*",),
    always=frozenset({"text", "author", "published_at", "engagement"}),
    counted=lambda answer: len(set(re.findall(rb'data-post="([^"]+)"', answer.body))),
)
