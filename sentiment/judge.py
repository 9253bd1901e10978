"""The one interface behind which every judge stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from core.types import Category, Sentiment, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters ``text[start:end]`` of the text exactly as it was given to the judge."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing in the text that raised the grade."""

    because: str  #: English, for a person: ``safety: "caught fire"``
    category: Category | None  #: None when the spans only raise the level as such
    spans: tuple[Span, ...]  #: in text order, never overlapping
    weight: float  #: log-odds that these spans add to "at least this level"; larger is stronger


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judge says of one text.

    ``severity`` is not always the most probable level: a missed injury costs more than a needless
    look, so a grave level is given before it is the likeliest. A text of level high or critical
    is ``negative``, whatever ``sentiment_p`` says: the levels mean harm.
    """

    language: str  #: ISO 639-1; ``hr`` stands for hr/bs/sr in Latin script; ``und`` if unknown
    language_p: float | None  #: None with ``und``
    sentiment: Sentiment
    sentiment_p: Mapping[Sentiment, float]  #: sums to 1
    severity: Severity
    severity_p: Mapping[Severity, float]  #: sums to 1
    categories: tuple[Category, ...]  #: most probable first; empty when the severity is none
    category_p: Mapping[Category, float]  #: each on its own, they need not sum to 1
    reasons: tuple[Reason, ...]  #: strongest first; of every medium and above, none of none


class Judge(Protocol):
    """Judges a batch; a text's judgement never depends on the others in its batch."""

    @property
    def name(self) -> str:
        """Stored on each mention, e.g. ``neural-1+1a2b3c4d``: changes when a grade could."""
        ...

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order; no text, however broken, raises."""
        ...


@runtime_checkable
class Explaining(Judge, Protocol):
    """A judge whose reasons cost more than its grades."""

    def grades_only(self) -> Judge:
        """The same judge with the same grades and without reasons."""
        ...


def grades_only(judge: Judge) -> Judge:
    """For whoever looks at no reasons: the judge without them, where that is quicker."""
    return judge.grades_only() if isinstance(judge, Explaining) else judge
