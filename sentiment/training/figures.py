"""What is reported of a judge: counted from its judgements, on texts that it never saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.types import Severity
from sentiment.evaluate.metrics import macro_f1, micro_f1
from sentiment.judge import Judge, Judgement
from sentiment.linear.model import CATEGORIES, LEVELS, SENTIMENTS
from sentiment.training.corpora import Row
from sentiment.training.posts import LabelledPost

Figures = dict[str, float]


def post_figures(judge: Judge, posts: Sequence[LabelledPost]) -> Figures:
    """The figures that the product depends on."""
    judged = judge([post.text for post in posts])
    grave = [post.severity >= Severity.HIGH for post in posts]
    critical = [post.severity is Severity.CRITICAL for post in posts]
    mild = [post.severity <= Severity.LOW for post in posts]
    alarmed = [judgement.severity >= Severity.HIGH for judgement in judged]
    return {
        "posts": len(posts),
        "sentiment_f1": macro_f1(
            [post.sentiment for post in posts], [j.sentiment for j in judged], SENTIMENTS
        ),
        "severity_f1": macro_f1(
            [post.severity for post in posts], [j.severity for j in judged], LEVELS
        ),
        "grave_recall": _share(alarmed, grave),
        "critical_recall": _share(alarmed, critical),
        "false_alarms": _share(alarmed, mild),
        "grave_auc": _auc([_grave_p(j) for j in judged], grave),
        "category_f1": _micro_f1(posts, judged),
    }


def general_figures(judge: Judge, rows: Sequence[Row]) -> dict[str, Figures]:
    """For each data set and language: macro-F1 of sentiment, and alarms on texts not negative."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(f"{row.data_set}/{row.lang}", []).append(row)
    return {name: _sentiment(judge, group) for name, group in sorted(groups.items())}


def _sentiment(judge: Judge, rows: Sequence[Row]) -> Figures:
    labels = [s for s in SENTIMENTS if any(row.label == s for row in rows)]
    # A set without a neutral class asks a two-way question, and gets the answer to it.
    judged = judge([row.text for row in rows])
    given = [max(labels, key=judgement.sentiment_p.__getitem__) for judgement in judged]
    truth: list[object] = [row.label for row in rows]
    alarmed = [judgement.severity >= Severity.HIGH for judgement in judged]
    return {
        "rows": len(rows),
        "macro_f1": macro_f1(truth, given, labels),
        "false_alarms": _share(alarmed, [row.label != "negative" for row in rows]),
    }


def _grave_p(judgement: Judgement) -> float:
    return judgement.severity_p[Severity.HIGH] + judgement.severity_p[Severity.CRITICAL]


def _share(given: Sequence[bool], among: Sequence[bool]) -> float:
    chosen = [g for g, a in zip(given, among, strict=True) if a]
    return float(np.mean(chosen)) if chosen else 0.0


def _auc(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """How often a grave post scores above another one."""
    points: npt.NDArray[np.float64] = np.array(scores)
    mask = np.array(truth, dtype=bool)
    above = points[mask][:, None] - points[~mask][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2) if above.size else 0.0


def _micro_f1(posts: Sequence[LabelledPost], judged: Sequence[Judgement]) -> float:
    truth = [[category in post.categories for category in CATEGORIES] for post in posts]
    given = [[category in j.categories for category in CATEGORIES] for j in judged]
    return micro_f1(np.array(truth, dtype=bool), np.array(given, dtype=bool))
