"""A judge that grades by words: a stand-in for a model, which has tests of its own."""

from __future__ import annotations

from collections.abc import Sequence

from core.types import Category, Sentiment, Severity
from sentiment.judge import Judgement, Reason, Span

GRADES = {
    "fire": Severity.CRITICAL,
    "fraud": Severity.HIGH,
    "broken": Severity.MEDIUM,
    "meh": Severity.LOW,
}


class WordJudge:
    """Grades by the worst word of ``GRADES``; breaks on "poison"."""

    name = "words-1"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        self.batches.append(list(texts))
        if any("poison" in text for text in texts):
            raise ValueError("this judge cannot read poison")
        return [judgement(text) for text in texts]

    @property
    def texts(self) -> list[str]:
        """Every text judged so far."""
        return [text for batch in self.batches for text in batch]


def judgement(text: str) -> Judgement:
    """What ``WordJudge`` says of one text."""
    found = {word: text.find(word) for word in GRADES if word in text}
    severity = max((GRADES[word] for word in found), default=Severity.NONE)
    sentiment = Sentiment.NEGATIVE if severity else Sentiment.POSITIVE
    reasons = tuple(
        Reason(
            because=f'product: "{word}"',
            category=Category.PRODUCT,
            spans=(Span(start=start, end=start + len(word)),),
            weight=1.5,
        )
        for word, start in found.items()
    )
    return Judgement(
        language="en",
        language_p=0.9,
        sentiment=sentiment,
        sentiment_p={one: float(one is sentiment) for one in Sentiment},
        severity=severity,
        severity_p={one: float(one is severity) for one in Severity},
        categories=(Category.PRODUCT,) if severity else (),
        category_p={Category.PRODUCT: 0.8},
        reasons=reasons,
    )
