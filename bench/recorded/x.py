"""Answers of the API of X, 2020–2022: searches and mentions; counted as its own total says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.recording import Answer, Recorded, unpacked


def _answer(path: Path) -> Answer:
    body: dict[str, Any] = json.loads(unpacked(path))
    return Answer(body=json.dumps(body.get("body", body)).encode())


RECORDED = Recorded(
    kind="x",
    config={"query": "recorded"},
    files=("x/*.json", "x/*.json.gz"),
    without=frozenset({"error_400_bad_start_time.json", "error_401.json"}),
    answer=_answer,
    counted=lambda answer: int(json.loads(answer.body)["meta"]["result_count"]),
)
