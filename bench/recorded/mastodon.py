"""Timelines and a thread of one instance, 2025, each in a note; counted by the keys of statuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bench.recording import Answer, Recorded, unpacked


def _answer(path: Path) -> Answer:
    recorded = json.loads(unpacked(path))
    return Answer(
        body=json.dumps(recorded["body"]).encode(),
        config={"replies_to": "1"} if "context" in path.name else {},
        headers={key.lower(): str(said) for key, said in recorded["_recording"]["headers"].items()},
    )


RECORDED = Recorded(
    kind="mastodon",
    config={"instance": "https://recorded.example"},
    files=("mastodon/get_*",),
    always=frozenset({"text", "author", "published_at", "engagement", "language"}),
    answer=_answer,
    counted=lambda answer: len(re.findall(rb'"spoiler_text":', answer.body)),
)
