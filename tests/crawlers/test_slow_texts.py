"""Texts of strangers that would keep a pattern busy for minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from crawlers.errors import CrawlError
from crawlers.reading.loose_json import parse_loosely
from goodname.sources.recognise import _SOFTWARE
from tests.crawlers.saved_pages import parse


def _discourse(cooked: str) -> None:
    post = {"id": 1, "post_type": 1, "cooked": cooked, "username": "ona",
            "created_at": "2026-03-01T10:00:00Z", "topic_id": 2, "post_number": 1}  # fmt: skip
    parse("discourse", json.dumps({"latest_posts": [post]}).encode())


def _json_ld(text: str) -> None:
    parse_loosely(text, what="JSON-LD")


def _recognise(text: str) -> None:
    for _, mark, _ in _SOFTWARE:
        mark.search(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (_recognise, 'name="generator" ' * 29_000),
        (_recognise, "<html " * 80_000),
        (_recognise, "Powered by<a " * 35_000),
        (_recognise, 'class="' * 70_000),
        (_discourse, '<aside class="quote">' * 50_000),
        (_json_ld, '{"a": x' + " " * 200_000 + "y}"),
        (_json_ld, "\u00a0" * 200_000 + "x"),
        (_json_ld, '{"a": x' + "//" + " " * 200_000 + "y}"),
        (_json_ld, '{"a": x' + "/*" * 200_000),
    ],
)
def test_a_hostile_text_is_read_in_a_second(read: Callable[[str], None], text: str) -> None:
    before = time.process_time()
    with suppress(CrawlError):
        read(text)
    assert time.process_time() - before < 1
