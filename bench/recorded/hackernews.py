"""Answers of the search of Hacker News, 2014, each wrapped in a note about its recording."""

from __future__ import annotations

import json
from pathlib import Path

from bench.recording import Answer, Recorded, unpacked


def _answer(path: Path) -> Answer:
    return Answer(body=json.dumps(json.loads(unpacked(path))["body"]).encode())


RECORDED = Recorded(
    kind="hackernews",
    config={"query": "recorded"},
    files=("hackernews/*",),
    without=frozenset({"10_users_pg.json"}),
    always=frozenset({"author", "published_at", "engagement", "extra"}),
    answer=_answer,
    counted=lambda answer: len(json.loads(answer.body).get("hits", ())),
)
