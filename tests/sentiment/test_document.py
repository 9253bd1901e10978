"""A judgement as JSON, and back."""

from __future__ import annotations

import json

from sentiment.document import document, kept, restored
from sentiment.load import load_judge

TEXT = "Zażółć! The heater caught fire and burned my hand, and nobody answers my letters."


def test_what_is_kept_makes_an_equal_judgement() -> None:
    [judgement] = load_judge()([TEXT])
    assert judgement.reasons
    assert restored(json.loads(json.dumps(kept(judgement)))) == judgement


def test_evidence_is_the_text_at_its_offsets() -> None:
    [judgement] = load_judge()([TEXT])
    shown = document(TEXT, judgement)
    assert shown["evidence"]
    for part in shown["evidence"]:
        assert TEXT[part["start"] : part["end"]] == part["text"]
    assert set(shown) == {"language", "sentiment", "severity", "categories", "evidence"}


def test_probabilities_are_given_when_asked_for() -> None:
    [judgement] = load_judge()([TEXT])
    shown = document(TEXT, judgement, probabilities=True)
    assert abs(sum(shown["severity_p"].values()) - 1) < 0.001
    assert set(shown["sentiment_p"]) == {"negative", "neutral", "positive"}
    assert len(shown["category_p"]) == 15
