"""Reasons point at the words that raised the grade."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import Severity
from sentiment.judge import Judgement
from sentiment.load import load_judge
from sentiment.training.posts import POSTS, LabelledPost, read_posts


@pytest.fixture(scope="module")
def grave() -> list[tuple[LabelledPost, Judgement]]:
    """Posts that training never saw, with the judgement that calls them grave."""
    posts = [post for post in read_posts(POSTS) if post.split == "test"]
    judged = zip(posts, load_judge("linear")([post.text for post in posts]), strict=True)
    return [(post, given) for post, given in judged if given.severity >= Severity.HIGH]


def _level(judgement: Judgement, level: Severity) -> float:
    return sum(p for of, p in judgement.severity_p.items() if of >= level)


def test_a_grave_judgement_has_reasons_and_the_strongest_comes_first(
    grave: list[tuple[LabelledPost, Judgement]],
) -> None:
    assert len(grave) > 20
    for _, judgement in grave:
        weights = [reason.weight for reason in judgement.reasons]
        assert weights
        assert weights == sorted(weights, reverse=True)
        assert weights[-1] > 0


def test_without_the_strongest_words_the_level_is_less_probable(
    grave: list[tuple[LabelledPost, Judgement]],
) -> None:
    without = []
    for post, judgement in grave:
        span = judgement.reasons[0].spans[0]
        without.append(post.text[: span.start] + " " + post.text[span.end :])
    fell = [
        _level(after, before.severity) < _level(before, before.severity)
        for (_, before), after in zip(grave, load_judge("linear")(without), strict=True)
    ]
    # A shorter text gives its other words more room, so a rare one may not fall.
    assert np.mean(fell) >= 0.9


def test_spans_begin_and_end_with_whole_words(
    grave: list[tuple[LabelledPost, Judgement]],
) -> None:
    for post, judgement in grave:
        for reason in judgement.reasons:
            span = reason.spans[0]
            assert not (post.text[span.start - 1 : span.start] or " ").isalpha()
            assert not post.text[span.end : span.end + 1].isalpha()


def test_the_words_named_are_more_often_the_evidence_than_chance(
    grave: list[tuple[LabelledPost, Judgement]],
) -> None:
    hits, shares = [], []
    for post, judgement in grave:
        if not post.evidence:
            continue
        inside = np.zeros(len(post.text), dtype=bool)
        for part in post.evidence:
            start = post.text.index(part)
            inside[start : start + len(part)] = True
        span = judgement.reasons[0].spans[0]
        hits.append(inside[span.start : span.end].mean())
        shares.append(inside.mean())
    assert np.mean(hits) > np.mean(shares) + 0.1


def test_offsets_are_those_of_the_text_as_it_was_given() -> None:
    text = "👍🏽 <b>Ża\u0301l</b>: gri\u200bjalica se zapalila, dijete u bolnici, opekline!"
    judgement = load_judge("linear")([text])[0]
    quoted = [text[span.start : span.end] for r in judgement.reasons for span in r.spans]
    assert quoted
    for part in quoted:
        assert part == part.strip()
        assert "<" not in part


def test_a_quote_is_short_and_printable() -> None:
    text = "fire hospital burned \u202e\x1b[31m injured police " * 30
    for reason in load_judge("linear")([text])[0].reasons:
        assert reason.because.isprintable()
        assert len(reason.because) < 120


def test_a_span_takes_along_the_accent_behind_it_and_no_million_hidden_signs() -> None:
    text = "The heater caught fire and my daughter is in hospital"
    accent, hidden = load_judge("linear")([text + "\u0301", text + "\u0301" * 1_000_000])
    for judgement in (accent, hidden):
        assert judgement.reasons
        assert max(r.spans[0].end - r.spans[0].start for r in judgement.reasons) < 200
