"""What is said of a judge on one data set in one language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.types import Category, Sentiment, Severity
from sentiment.evaluate.calibration import Calibration, calibration
from sentiment.evaluate.labelled import Labelled
from sentiment.evaluate.metrics import (
    ClassScore,
    Matrix,
    Share,
    accuracy,
    class_scores,
    confusion,
    label_scores,
    macro_of,
    micro_f1,
    share,
)
from sentiment.judge import Judgement

SENTIMENTS: Final = tuple(Sentiment)
LEVELS: Final = tuple(Severity)
CATEGORIES: Final = tuple(Category)

Pair = tuple[Labelled, Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentFigures:
    """Sentiment on texts that people labelled with it."""

    rows: int
    labels: tuple[str, ...]  #: those that occur; two make it a two-way question
    macro_f1: float
    accuracy: float
    classes: tuple[ClassScore, ...]  #: in the order of ``labels``
    confusion: Matrix
    calibration: Calibration
    false_alarms: Share  #: graded high or worse, of the texts that people do not call negative


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityFigures:
    """Severity on texts that people graded."""

    rows: int
    macro_f1: float
    accuracy: float
    classes: tuple[ClassScore, ...]  #: none to critical
    confusion: Matrix
    calibration: Calibration
    critical_recall: Share  #: graded critical, of those that are
    critical_precision: Share  #: that are critical, of those graded so
    alarm_recall: Share  #: graded high or worse, of those that are critical or high
    false_alarms: Share  #: graded high or worse, of those that are low or none


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigures:
    """Categories on texts that people filed."""

    rows: int
    micro_f1: float
    macro_f1: float  #: over the categories that occur
    classes: tuple[ClassScore, ...]  #: in the order of ``Category``
    calibration: Calibration  #: of all yes-or-no decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFigures:
    """A part of the posts, counted apart: plain-fact complaints, or traps."""

    rows: int
    sentiment: Share  #: right
    severity: Share  #: right
    alarm: Share  #: graded medium or worse, of those that are


def sentiment_figures(
    pairs: Sequence[Pair], answers: Sequence[Sentiment] = SENTIMENTS
) -> SentimentFigures | None:
    """None without labels. A set with two ``answers`` asks a two-way question: the judge's third
    one is left out, and its probability with it. The truth must be among the answers."""
    asked = [(text, judged) for text, judged in pairs if text.sentiment is not None]
    truth = [text.sentiment for text, _ in asked]
    labels = tuple(answers) if len(answers) > 1 else SENTIMENTS
    if not asked:
        return None
    given = [_answer(judged, labels) for _, judged in asked]
    matrix = confusion(truth, given, labels)
    likely = [_likeliest(judged, labels) for _, judged in asked]
    calm = [judged for text, judged in asked if text.sentiment is not Sentiment.NEGATIVE]
    return SentimentFigures(
        rows=len(asked),
        labels=tuple(label.value for label in labels),
        macro_f1=macro_of(matrix),
        accuracy=accuracy(matrix),
        classes=tuple(class_scores(matrix)),
        confusion=matrix,
        calibration=calibration(
            [p for _, p in likely],
            [label is true for (label, _), true in zip(likely, truth, strict=True)],
        ),
        false_alarms=share(sum(j.severity >= Severity.HIGH for j in calm), len(calm)),
    )


def severity_figures(pairs: Sequence[Pair]) -> SeverityFigures | None:
    """None without labels. The calibration is that of the most probable level."""
    asked = [(text.severity, judged) for text, judged in pairs if text.severity is not None]
    if not asked:
        return None
    matrix = confusion([true for true, _ in asked], [j.severity for _, j in asked], LEVELS)
    likely = [max(j.severity_p.items(), key=lambda item: item[1]) for _, j in asked]
    counts, critical, high = np.array(matrix), int(Severity.CRITICAL), int(Severity.HIGH)
    found = int(counts[critical, critical])
    return SeverityFigures(
        rows=len(asked),
        macro_f1=macro_of(matrix),
        accuracy=accuracy(matrix),
        classes=tuple(class_scores(matrix)),
        confusion=matrix,
        calibration=calibration(
            [p for _, p in likely],
            [level is true for (level, _), (true, _) in zip(likely, asked, strict=True)],
        ),
        critical_recall=share(found, int(counts[critical].sum())),
        critical_precision=share(found, int(counts[:, critical].sum())),
        alarm_recall=share(int(counts[high:, high:].sum()), int(counts[high:].sum())),
        false_alarms=share(
            int(counts[: int(Severity.MEDIUM), high:].sum()),
            int(counts[: int(Severity.MEDIUM)].sum()),
        ),
    )


def category_figures(pairs: Sequence[Pair]) -> CategoryFigures | None:
    """None when no text was filed under anything."""
    asked = [(text.categories, j) for text, j in pairs if text.categories is not None]
    if not any(filed for filed, _ in asked):
        return None
    truth = np.array([[category in filed for category in CATEGORIES] for filed, _ in asked])
    given = np.array([[category in j.categories for category in CATEGORIES] for _, j in asked])
    likely = [j.category_p.get(category, 0.0) for _, j in asked for category in CATEGORIES]
    scores = label_scores(truth, given)
    return CategoryFigures(
        rows=len(asked),
        micro_f1=micro_f1(truth, given),
        macro_f1=float(np.mean([score.f1 for score in scores if score.count])),
        classes=tuple(scores),
        calibration=calibration(likely, truth.ravel().tolist()),
    )


def chosen_figures(pairs: Sequence[Pair]) -> ChosenFigures | None:
    """Counts of right answers; None for no texts."""
    if not pairs:
        return None
    felt = [(text.sentiment, j.sentiment) for text, j in pairs if text.sentiment is not None]
    graded = [(text.severity, j.severity) for text, j in pairs if text.severity is not None]
    bad = [given for true, given in graded if true >= Severity.MEDIUM]
    return ChosenFigures(
        rows=len(pairs),
        sentiment=share(sum(true is given for true, given in felt), len(felt)),
        severity=share(sum(true is given for true, given in graded), len(graded)),
        alarm=share(sum(given >= Severity.MEDIUM for given in bad), len(bad)),
    )


def _answer(judged: Judgement, labels: Sequence[Sentiment]) -> Sentiment:
    """What the judge says, unless that is no possible answer: then the likeliest possible one."""
    return judged.sentiment if judged.sentiment in labels else _likeliest(judged, labels)[0]


def _likeliest(judged: Judgement, labels: Sequence[Sentiment]) -> tuple[Sentiment, float]:
    """And its probability among the possible answers."""
    best = max(labels, key=lambda label: judged.sentiment_p[label])
    total = sum(judged.sentiment_p[label] for label in labels)
    return best, judged.sentiment_p[best] / total if total else 1 / len(labels)
