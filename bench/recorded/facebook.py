"""Answers of the Graph API, 2019–2021: feeds and comments; counted by their messages."""

from __future__ import annotations

import json
from pathlib import Path

from bench.recording import Answer, Recorded, unpacked


def _answer(path: Path) -> Answer:
    """Comments name their post in their addresses only; a run knows it from its request."""
    state = {"post": "1_1"} if path.name.startswith("comments__") else {}
    return Answer(body=unpacked(path), state=state)


def _count(answer: Answer) -> int:
    """Posts without words are none; a shared link has a title."""
    items = json.loads(answer.body)["data"]
    titles = [item.get("attachments", {}).get("data", [{}])[0].get("title") for item in items]
    return sum("message" in item or bool(title) for item, title in zip(items, titles, strict=True))


RECORDED = Recorded(
    kind="facebook",
    config={"page": "recorded"},
    files=("facebook/*.json",),
    without=frozenset(
        {"error.json", "pages__single_fields_page.json", "posts__single_post_data_fields.json"}
    ),
    always=frozenset({"text", "published_at"}),
    answer=_answer,
    counted=_count,
)
