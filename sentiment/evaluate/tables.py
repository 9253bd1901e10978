"""The figures as tables, for the terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentiment.evaluate.figures import CATEGORIES, LEVELS, ChosenFigures
from sentiment.evaluate.goals import results
from sentiment.evaluate.metrics import Matrix, Share
from sentiment.evaluate.report import JudgeReport, LanguageReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Words in columns; the first ``names`` columns are names, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    names: int = 2


def goals_tables(reports: Sequence[JudgeReport]) -> list[Table]:
    """Each goal that could be measured, with a column for each judge; none without a goal."""
    measured = [{(r.what, r.data, r.lang): r for r in results(report)} for report in reports]
    keys = list(dict.fromkeys(key for found in measured for key in found))
    rows = []
    for key in keys:
        cells, goal, counts = [], "", []
        for found in measured:
            result = found.get(key)
            if result is None:
                cells.append("")
                continue
            goal = result.goal
            counts.append(str(result.rows))
            beside = f" ({result.beside})" if result.beside else ""
            met = {None: "", True: " ✓", False: " ✗"}[result.is_met]
            cells.append(f"{result.value:.3f}{beside}{met}" if result.rows
                         else "nothing to measure")  # fmt: skip
        # Of the texts that a judge called grave, say, each judge has another number.
        of = counts[0] if len(set(counts)) == 1 else " / ".join(counts)
        rows.append((key[1], key[2], key[0], of, goal, *cells))
    columns = ("data set", "language", "figure", "of", "goal", *(r.judge for r in reports))
    note = "✓ reached, ✗ missed; in brackets the 95 % interval (Wilson), or the error by chance."
    table = Table(title="Goals", columns=columns, rows=tuple(rows), note=note, names=3)
    return [table] if rows else []


def judge_tables(report: JudgeReport) -> list[Table]:
    """All figures of one judge; a table without rows is left out."""
    parts = report.languages
    tables = [
        _sentiment(parts), _sentiment_confusion(parts), _severity(parts), _levels(parts),
        _severity_confusion(parts), _categories(parts), _each_category(parts), _evidence(parts),
        _chosen(parts, "Plain-fact complaints, counted apart", lambda part: part.plain),
        _chosen(parts, "Traps, counted apart", lambda part: part.traps), _parallel(report),
    ]  # fmt: skip
    return [table for table in tables if table.rows]


def _sentiment(parts: Sequence[LanguageReport]) -> Table:
    rows = []
    for part in parts:
        if (figures := part.sentiment) is None:
            continue
        scores = dict(zip(figures.labels, figures.classes, strict=True))
        each = [
            f"{scores[label].f1:.3f}" if label in scores else "-"
            for label in ("negative", "neutral", "positive")
        ]
        rows.append((
            part.data, part.lang, str(figures.rows), f"{figures.macro_f1:.3f}",
            f"{figures.accuracy:.3f}", *each, f"{figures.calibration.error:.3f}",
            f"{figures.calibration.floor:.3f}", f"{figures.false_alarms.value:.3f}",
        ))  # fmt: skip
    return Table(
        title="Sentiment",
        columns=("data set", "language", "texts", "macro-F1", "accuracy", "F1 negative",
                 "F1 neutral", "F1 positive", "ECE", "ECE by chance", "false alarms"),
        rows=tuple(rows),
        note="A set with two labels asks a two-way question (-): the third probability is left "
        "out. ECE: expected calibration error of the likeliest answer, 15 bins of equal mass; "
        "by chance: what a perfectly calibrated judge shows on as many texts. False alarms: graded "
        "high or worse, of the texts that people do not call negative.",
    )  # fmt: skip


def _sentiment_confusion(parts: Sequence[LanguageReport]) -> Table:
    rows = [
        row
        for part in parts
        if part.sentiment is not None
        for row in _confusion(
            part, part.sentiment.labels, part.sentiment.confusion, SENTIMENT_COLUMNS
        )
    ]
    return Table(
        title="Sentiment: which was taken for which",
        columns=("data set", "language", "truth", *(f"given {s}" for s in SENTIMENT_COLUMNS)),
        rows=tuple(rows),
        names=3,
    )


SENTIMENT_COLUMNS = ("negative", "neutral", "positive")


def _severity(parts: Sequence[LanguageReport]) -> Table:
    rows = [
        (
            part.data, part.lang, str(figures.rows), f"{figures.macro_f1:.3f}",
            f"{figures.accuracy:.3f}", _spread(figures.critical_recall),
            _spread(figures.critical_precision), _spread(figures.alarm_recall),
            _spread(figures.false_alarms), f"{figures.calibration.error:.3f}",
            f"{figures.calibration.floor:.3f}",
        )
        for part in parts
        if (figures := part.severity) is not None
    ]  # fmt: skip
    return Table(
        title="Severity",
        columns=("data set", "language", "texts", "macro-F1", "accuracy", "recall of critical",
                 "precision of critical", "alarm recall", "false alarms", "ECE", "ECE by chance"),
        rows=tuple(rows),
        note="In brackets the 95 % interval (Wilson). Alarm recall: graded high or worse, of the "
        "texts that are. False alarms: graded high or worse, of those that are low or none. "
        "ECE: of the most probable level.",
    )  # fmt: skip


def _levels(parts: Sequence[LanguageReport]) -> Table:
    rows = [
        (part.data, part.lang, level.label, str(score.count), f"{score.precision:.3f}",
         f"{score.recall:.3f}", f"{score.f1:.3f}")
        for part in parts
        if part.severity is not None
        for level, score in zip(LEVELS, part.severity.classes, strict=True)
    ]  # fmt: skip
    columns = ("data set", "language", "level", "texts", "precision", "recall", "F1")
    return Table(title="Severity, level by level", columns=columns, rows=tuple(rows), names=3)


def _severity_confusion(parts: Sequence[LanguageReport]) -> Table:
    names = tuple(level.label for level in LEVELS)
    rows = [
        row
        for part in parts
        if part.severity is not None
        for row in _confusion(part, names, part.severity.confusion, names)
    ]
    return Table(
        title="Severity: which was taken for which",
        columns=("data set", "language", "truth", *(f"given {name}" for name in names)),
        rows=tuple(rows),
        names=3,
    )


def _categories(parts: Sequence[LanguageReport]) -> Table:
    rows = [
        (part.data, part.lang, str(figures.rows), f"{figures.micro_f1:.3f}",
         f"{figures.macro_f1:.3f}", f"{figures.calibration.error:.3f}",
         f"{figures.calibration.floor:.3f}")
        for part in parts
        if (figures := part.categories) is not None
    ]  # fmt: skip
    columns = ("data set", "language", "texts", "micro-F1", "macro-F1", "ECE", "ECE by chance")
    return Table(title="Categories", columns=columns, rows=tuple(rows))


def _each_category(parts: Sequence[LanguageReport]) -> Table:
    filed = [(part, part.categories.classes) for part in parts if part.categories is not None]
    rows = [
        (
            category.value,
            *(f"{scores[i].f1:.2f} ({scores[i].count})" if scores[i].count else "-"
              for _, scores in filed),
        )
        for i, category in enumerate(CATEGORIES)
    ] if filed else []  # fmt: skip
    return Table(
        title="Categories, one by one: F1 (texts)",
        columns=("category", *(f"{part.data} {part.lang}" for part, _ in filed)),
        rows=tuple(rows),
        names=1,
    )


def _evidence(parts: Sequence[LanguageReport]) -> Table:
    rows = [
        (part.data, part.lang, str(figures.graded), _spread(figures.with_evidence),
         _spread(figures.lowered), _spread(figures.less_likely), f"{figures.covered:.2f}")
        for part in parts
        if (figures := part.evidence) is not None
    ]  # fmt: skip
    return Table(
        title="Evidence: deleted, and the text judged again",
        columns=("data set", "language", "graded", "with evidence", "grade falls",
                 "grade less likely", "of the text"),
        rows=tuple(rows),
        note="Of the texts that the judge graded medium or worse. Of the text: the mean share of "
        "its characters that is evidence.",
    )  # fmt: skip


def _chosen(
    parts: Sequence[LanguageReport],
    title: str,
    pick: Callable[[LanguageReport], ChosenFigures | None],
) -> Table:
    rows = [
        (part.data, part.lang, str(figures.rows), _spread(figures.sentiment),
         _spread(figures.severity), _spread(figures.alarm))
        for part in parts
        if (figures := pick(part)) is not None
    ]  # fmt: skip
    columns = ("data set", "language", "texts", "sentiment right", "severity right",
               "medium or worse found")  # fmt: skip
    return Table(title=title, columns=columns, rows=tuple(rows))


def _parallel(report: JudgeReport) -> Table:
    rows = [
        (data, " ".join(found.languages), str(found.severity.total), _spread(found.severity),
         _spread(found.near), _spread(found.sentiment))
        for data, agreements in report.parallel.items()
        for found in agreements
    ]  # fmt: skip
    return Table(
        title="The same facts in several languages",
        columns=("data set", "languages", "scenarios", "same level", "at most one level apart",
                 "same sentiment"),
        rows=tuple(rows),
    )  # fmt: skip


def _confusion(
    part: LanguageReport, labels: Sequence[str], matrix: Matrix, columns: Sequence[str]
) -> list[tuple[str, ...]]:
    rows = []
    for label, counts in zip(labels, matrix, strict=True):
        by_label = dict(zip(labels, counts, strict=True))
        cells = [str(by_label[column]) if column in by_label else "-" for column in columns]
        rows.append((part.data, part.lang, label, *cells))
    return rows


def _spread(found: Share) -> str:
    return f"{found.value:.3f} ({_reach(found.low, found.high)})" if found.total else "-"


def _reach(low: float, high: float) -> str:
    return f"{low:.2f}-{high:.2f}"
