"""Answers of Reddit's API, 2016–2023, each wrapped in a note; counted by the names of things."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bench.recording import Answer, Recorded, unpacked


def _answer(path: Path) -> Answer:
    return Answer(body=json.dumps(json.loads(unpacked(path))["body"]).encode())


RECORDED = Recorded(
    kind="reddit",
    config={"query": "recorded"},
    files=("reddit/*",),
    # Nothing new behind an item: an answer without a post, read in a test of its own.
    without=frozenset({"r_comments_before_cursor_empty.json"}),
    always=frozenset({"published_at", "extra"}),
    answer=_answer,
    counted=lambda answer: len(set(re.findall(rb'"name": "(t[13]_\w+)"', answer.body))),
)
