"""Everything that is measured of judges on data sets; languages are never pooled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sentiment.evaluate.deletion import EvidenceFigures, evidence_figures
from sentiment.evaluate.figures import (
    CategoryFigures,
    ChosenFigures,
    Pair,
    SentimentFigures,
    SeverityFigures,
    category_figures,
    chosen_figures,
    sentiment_figures,
    severity_figures,
)
from sentiment.evaluate.labelled import DataSet
from sentiment.evaluate.opinions import Advance, memory_of, opinions
from sentiment.evaluate.parallel import Agreement, agreements
from sentiment.judge import Judge, Judgement, grades_only


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageReport:
    """One judge on one language of one data set; None where the set has no such labels."""

    data: str
    lang: str
    rows: int
    sentiment: SentimentFigures | None
    severity: SeverityFigures | None
    categories: CategoryFigures | None
    evidence: EvidenceFigures | None  #: only where people graded the severity
    plain: ChosenFigures | None
    traps: ChosenFigures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReport:
    """One judge on all data sets."""

    judge: str
    languages: tuple[LanguageReport, ...]
    parallel: dict[str, list[Agreement]]  #: by data set

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def report(
    judge: Judge,
    sets: Sequence[DataSet],
    *,
    memory: Path | None = None,
    advance: Advance = lambda _: None,
) -> JudgeReport:
    """Judge every text of every set once and count; ``memory`` is a folder (see ``opinions``)."""
    languages: list[LanguageReport] = []
    parallel: dict[str, list[Agreement]] = {}
    brief = grades_only(judge)
    for data in sets:
        # Reasons are looked at only where people graded the severity.
        graded = any(text.severity is not None for text in data.texts)
        name = data.name if graded else f"{data.name}-grades"
        kept = memory_of(memory, judge.name, name) if memory else None
        again = memory_of(memory, judge.name, f"{data.name}-deleted") if memory else None
        judged = opinions(
            judge if graded else brief, [t.text for t in data.texts], memory=kept, advance=advance
        )
        pairs = list(zip(data.texts, judged, strict=True))
        languages += [
            _language(data, lang, pairs, partial(opinions, brief, memory=again))
            for lang in data.languages
        ]
        if data.is_parallel and (found := agreements(pairs)):
            parallel[data.name] = found
    return JudgeReport(judge=judge.name, languages=tuple(languages), parallel=parallel)


def _language(
    data: DataSet,
    lang: str,
    judged: Sequence[Pair],
    judge_again: Callable[[Sequence[str]], Sequence[Judgement]],
) -> LanguageReport:
    pairs = [pair for pair in judged if pair[0].lang == lang]
    severity = severity_figures(pairs)
    evidence = None
    if severity is not None:
        texts = [text.text for text, _ in pairs]
        evidence = evidence_figures(texts, [judgement for _, judgement in pairs], judge_again)
    return LanguageReport(
        data=data.name,
        lang=lang,
        rows=len(pairs),
        sentiment=sentiment_figures(pairs, data.answers[lang]),
        severity=severity,
        categories=category_figures(pairs),
        evidence=evidence,
        plain=chosen_figures([pair for pair in pairs if pair[0].plain]),
        traps=chosen_figures([pair for pair in pairs if pair[0].trap]),
    )
