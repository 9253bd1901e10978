"""A search, quotes and a list's feed of Bluesky, May 2025, each in a note; counted by cids."""

from __future__ import annotations

import json
from pathlib import Path

from bench.recording import Answer, Recorded, unpacked

_SOME = "at://did:plc:recorded/app.bsky.feed.post/1"
_MODES = {"getQuotes.json": {"quotes_of": _SOME}, "getListFeed.json": {"list": _SOME}}


def _answer(path: Path) -> Answer:
    config = {"query": "", **_MODES[path.name]} if path.name in _MODES else {}
    body = json.loads(unpacked(path))["body"]
    return Answer(body=json.dumps(body).encode(), config=config)


def _count(answer: Answer) -> int:
    # A post has a record; one that is quoted in it has a value in its place.
    return answer.body.count(b'"record": {"$type": "app.bsky.feed.post"')


RECORDED = Recorded(
    kind="bluesky",
    config={"query": "recorded"},
    files=("bluesky/*",),
    without=frozenset({"lexicon_searchPosts.json", "lexicon_searchPostsV2.json"}),
    always=frozenset({"text", "author", "published_at", "engagement", "extra"}),
    answer=_answer,
    counted=_count,
)
