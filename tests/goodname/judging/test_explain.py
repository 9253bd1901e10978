"""One text as a person sees it."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from core.types import Severity
from goodname.judging.explain import explained
from sentiment.judge import Judgement
from sentiment.load import load_judge
from tests.pipeline.judges import judgement


def shown(text: str, *, colour: bool = False, judged: Judgement | None = None) -> str:
    """What the terminal gets."""
    console = Console(
        file=io.StringIO(), force_terminal=colour, color_system="truecolor" if colour else None,
        width=100, highlight=False,
    )  # fmt: skip
    console.print(explained(text, judged or judgement(text), judge="words-1", console=console))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_grade_sentiment_category_reason_language_and_judge_are_told() -> None:
    told = shown("the kettle caught fire")
    for part in ("critical", "negative", "product", '"fire"', "en (90%)", "words-1", "100%"):
        assert part in told
    assert "caught [[fire]]" in told


@pytest.mark.parametrize(
    ("given", "likeliest", "told"),
    [
        (Severity.HIGH, Severity.LOW, "high: low is likelier, but to overlook a grave post"),
        (Severity.LOW, Severity.HIGH, "low: high is likeliest, but not sure enough"),
    ],
)
def test_a_level_that_is_not_the_likeliest_says_why(
    given: Severity, likeliest: Severity, told: str
) -> None:
    likely = {level: 0.6 if level is likeliest else 0.1 for level in Severity}
    judged = replace(judgement("broken"), severity=given, severity_p=likely)
    said = shown("broken", judged=judged)
    assert told in said
    assert ("overlook" in said) == (given > likeliest)


def test_evidence_is_coloured_where_there_is_colour() -> None:
    told = shown("the kettle caught fire", colour=True)
    assert "[[" not in told
    assert re.search(r"caught \x1b\[[\d;]*41mfire\x1b\[0m", told)


def test_a_text_cannot_write_to_the_terminal() -> None:
    told = shown("fire [bold]x[/bold] \x1b[2J \x9b31m \u202e \0 \ud800 end")
    assert "[bold]x[/bold]" in told
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", told)
    assert "end" in told


def test_of_a_long_text_only_what_surrounds_the_evidence_is_shown() -> None:
    told = shown("so " * 50_000 + "broken" + " so" * 50_000 + " fire!")
    assert len(told) < 5_000
    assert "[[broken]]" in told
    assert "[[fire]]!" in told
    assert "…" in told
    assert len(shown("so " * 50_000)) < 10_000


@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "👍", "https://example.com", "\ud800"])
def test_a_text_without_words_is_explained_as_well(text: str) -> None:
    assert "und" not in shown(text).replace("und ", "")
    [judged] = load_judge()([text])
    console = Console(file=io.StringIO(), width=80)
    console.print(explained(text, judged, judge="x", console=console))
