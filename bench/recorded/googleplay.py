"""One app's page, about 2020; counted by the ids of reviews in its text."""

from __future__ import annotations

import re

from bench.recording import Recorded

RECORDED = Recorded(
    kind="googleplay",
    config={"app_id": "com.recorded.example"},
    files=("googleplay/*",),
    always=frozenset({"text", "author", "published_at", "rating", "engagement"}),
    counted=lambda answer: len(set(re.findall(rb'"(gp:[\w-]{20,})"', answer.body))),
)
