"""Answers of the YouTube Data API, 2019; counted by the kind that each object gives itself."""

from __future__ import annotations

import re

from bench.recording import Recorded

_OBJECT = re.compile(rb'"kind":\s*"youtube#(?:comment|video)",\s*"etag":[^,]*,\s*"id":\s*"')

RECORDED = Recorded(
    kind="youtube",
    config={"video_ids": ["recorded-01"]},
    files=("youtube/comment*.json", "youtube/videos*.json"),
    always=frozenset({"text", "author", "published_at"}),
    counted=lambda answer: len(_OBJECT.findall(answer.body)),
)
