"""Whole pages of Trustpilot, 2023–2026; counted in what they tell search engines."""

from __future__ import annotations

import json
import re
from typing import Any

from bench.recording import Answer, Recorded


def _count(answer: Answer) -> int:
    page = answer.body.decode("utf-8")
    blocks = re.findall(r"<script[^>]*application/ld\+json[^>]*>(.*?)</script>", page, re.S)
    graphs: list[Any] = [json.loads(block).get("@graph", []) for block in blocks]
    things = [thing for graph in graphs if isinstance(graph, list) for thing in graph]
    return sum(thing.get("@type") == "Review" for thing in things)


RECORDED = Recorded(
    kind="trustpilot",
    config={"domain": "recorded.example"},
    files=("trustpilot/*",),
    always=frozenset(
        {"title", "text", "author", "published_at", "language", "rating", "engagement"}
    ),
    counted=_count,
)
