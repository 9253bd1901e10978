"""The linear judge behind the common interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.types import Category, Sentiment, Severity
from sentiment.judge import Judgement, Reason
from sentiment.language import identify
from sentiment.linear.model import CATEGORIES, LEVELS, SENTIMENTS, Arrays, LinearModel
from sentiment.linear.ngrams import grams
from sentiment.linear.reasons import explain
from sentiment.linear.score import Scores, score
from sentiment.linear.stream import HEAD_CHARS, TAIL_CHARS, read

#: Characters judged in one sweep; bounds memory whatever the batch.
SWEEP_CHARS: Final = 40_000


class LinearJudge:
    """One model, no state that changes: any number of threads may call it."""

    def __init__(self, model: LinearModel) -> None:
        self._arrays = model.arrays
        self._name = f"linear-2+{model.digest[:8]}"

    @property
    def name(self) -> str:
        """Kind, version and the first digits of the model file's SHA-256."""
        return self._name

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order."""
        return [judged for sweep in _sweeps(texts) for judged in self._judge(sweep)]

    def _judge(self, texts: Sequence[str]) -> list[Judgement]:
        stream = read(texts)
        families = list(grams(stream))
        scores = score(families, stream.count, self._arrays)
        categories = [_categories(scores, row, self._arrays) for row in range(len(texts))]
        reasons = explain(
            texts, stream, families, self._arrays, scores.level, scores.size, categories
        )
        return [
            _judgement(text, scores, row, categories[row], reasons=reasons[row])
            for row, text in enumerate(texts)
        ]


def _sweeps(texts: Sequence[str]) -> Iterator[list[str]]:
    sweep: list[str] = []
    chars = 0
    for text in texts:
        sweep.append(text)
        chars += min(len(text), HEAD_CHARS + TAIL_CHARS)
        if chars >= SWEEP_CHARS:
            yield sweep
            sweep, chars = [], 0
    if sweep:
        yield sweep


def _categories(scores: Scores, row: int, arrays: Arrays) -> tuple[Category, ...]:
    if not scores.level[row]:
        return ()
    found = [
        (probability, category)
        for probability, threshold, category in zip(
            scores.category[row].tolist(), arrays.category_threshold.tolist(), CATEGORIES,
            strict=True,
        )
        if probability >= threshold
    ]  # fmt: skip
    return tuple(category for _, category in sorted(found, key=lambda pair: -pair[0]))


def _judgement(
    text: str,
    scores: Scores,
    row: int,
    categories: tuple[Category, ...],
    *,
    reasons: tuple[Reason, ...],
) -> Judgement:
    language, language_p = identify(text)
    sentiment_p = dict(zip(SENTIMENTS, scores.sentiment[row].tolist(), strict=True))
    severity = LEVELS[int(scores.level[row])]
    return Judgement(
        language=language,
        language_p=language_p,
        sentiment=_sentiment(sentiment_p, severity),
        sentiment_p=sentiment_p,
        severity=severity,
        severity_p=dict(zip(LEVELS, scores.severity[row].tolist(), strict=True)),
        categories=categories,
        category_p=dict(zip(CATEGORIES, scores.category[row].tolist(), strict=True)),
        reasons=reasons,
    )


def _sentiment(likely: Mapping[Sentiment, float], severity: Severity) -> Sentiment:
    """The likeliest, except that a grave text is negative by what the levels mean.

    People tell of a fire in sober words, in which the sentiment sets hear nothing bad.
    """
    if severity >= Severity.HIGH:
        return Sentiment.NEGATIVE
    return max(likely, key=lambda sentiment: likely[sentiment])
