"""Broken and malicious text: always a judgement, always in order."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Severity
from sentiment.judge import Judge

SHARED = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[3] / "shared"))
HOSTILE = SHARED / "fixtures" / "hostile"

OURS = [
    "\ud83d", "\udc4d\ud83d", "a\x00b", "\u202eevil\u202c text", "ﬁre ﷺ ẞ İ ŉ", "\U0010ffff",
    "Z̸̢͔̋a̴͖̓l̷̫̈́g̵̬̈́ö̶͎ " * 50, "сhаrgеr саught fіrе", "<script>alert(1)</script>", "&#x41;" * 999,
    "<" * 5_000, "@" * 5_000, "http://" * 2_000, "a" * 20_000, "é" * 20_000, "\u0301" * 5_000,
    "word " * 5_000, "非常糟糕的产品", "منتج سيء", "\u2028\u2029\x85", "🏴\u200d☠️" * 500,
]  # fmt: skip


def _check(texts: list[str], judge: Judge) -> None:
    judged = judge(texts)
    assert len(judged) == len(texts)
    for text, judgement in zip(texts, judged, strict=True):
        for reason in judgement.reasons:
            assert reason.because.isprintable()
            for span in reason.spans:
                assert 0 <= span.start < span.end <= len(text)
    assert [judge([text])[0] for text in texts] == judged


def test_our_own_horrors_are_judged_in_order(every_judge: Judge) -> None:
    _check(OURS, every_judge)


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the shared hostile fixtures are not here")
def test_every_hostile_text_of_the_fixtures_is_judged(every_judge: Judge) -> None:
    lines = (HOSTILE / "unicode" / "texts.jsonl").read_text("utf-8").splitlines()
    texts = [record["text"] for record in map(json.loads, lines)]
    texts += [str(text) for text in json.loads((HOSTILE / "strings" / "blns_a.json").read_text())]
    assert len(texts) > 100
    _check(texts, every_judge)


@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_characters_at_all_are_judged(every_judge: Judge, texts: list[str]) -> None:
    _check(texts, every_judge)


def test_five_megabytes_are_read_at_both_ends_and_quickly(every_judge: Judge) -> None:
    every_judge(["warm"])
    middle = "nothing to see here " * 250_000
    end = " The battery exploded and burned my face, I am in hospital."
    started = time.process_time()
    judged = every_judge(["All was well. " + middle + end])[0]
    assert time.process_time() - started < 5
    assert judged.severity is not None
    for reason in judged.reasons:
        span = reason.spans[0]
        assert span.start < 8_000 or span.end > len(middle)


def test_text_in_a_script_that_the_model_never_saw_is_no_alarm(every_judge: Judge) -> None:
    for judgement in every_judge(
        ["非常糟糕的产品，我很生气", "منتج سيء جدا ولن أشتري مرة أخرى", "よくない"]
    ):
        assert judgement.severity <= Severity.LOW


def test_what_says_nothing_is_no_complaint(every_judge: Judge) -> None:
    silent = ["", " \n\t", "\x00" * 50, "\u200b\u200d\ufeff", "https://x.example/fire?a=b",
              "@fire", "\ud800\udfff",
              "aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQgZW5jb2RlZCBmaXJlIQ=="]  # fmt: skip
    for text, judgement in zip(silent, every_judge(silent), strict=True):
        assert judgement.severity is Severity.NONE, text
        assert max(judgement.sentiment_p.values()) < 0.6, text
        assert (judgement.reasons, judgement.categories) == ((), ())
