"""What a judge must reach before it is shipped, and on which texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sentiment.evaluate.calibration import Calibration
from sentiment.evaluate.labelled import ENDINGS, PARALLEL, DataError
from sentiment.evaluate.metrics import Share
from sentiment.evaluate.report import JudgeReport, LanguageReport

OWN: Final = "posts"  #: our own labelled posts
OWN_LANGUAGES: Final = ("en", "pl", "lt", "hr")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicGoal:
    """Macro-F1 of sentiment on the test split of a public set, in each of the languages."""

    data: str
    languages: tuple[str, ...]
    least: float
    mean_only: bool = False  #: the goal is for the mean of the languages


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A goal and what was measured."""

    what: str
    data: str
    lang: str
    rows: int
    goal: str  #: such as ``≥ .95``; empty for a figure that has none
    value: float
    beside: str  #: the 95 % interval, or what chance alone gives; may be empty
    is_met: bool | None  #: None without a goal, or without anything to measure


PUBLIC: Final = (
    PublicGoal(data="polemo2_text", languages=("pl",), least=0.95),
    PublicGoal(data="polemo2_sentence", languages=("pl",), least=0.86),
    PublicGoal(
        data="umsab", languages=("en", "de", "fr", "it", "es", "pt"), least=0.66, mean_only=True
    ),
    PublicGoal(data="en_goemotions", languages=("en",), least=0.68),
    PublicGoal(data="parlasent_bcs", languages=("hr", "sr", "bs"), least=0.66),
    PublicGoal(data="de_germeval2017", languages=("de",), least=0.55),
    PublicGoal(data="de_sb10k", languages=("de",), least=0.66),
    PublicGoal(data="lv_tweets_fntm", languages=("lv",), least=0.60),
    PublicGoal(data="lv_tweets_nicemanis", languages=("lv",), least=0.60),
    PublicGoal(data="twitter15_bcs_3class", languages=("hr", "sr", "bs"), least=0.58),
)


def goal_files(folder: Path) -> list[Path]:
    """The public sets with a goal; ``DataError`` names those that the folder lacks."""
    found, missing = [], []
    for goal in PUBLIC:
        paths = [folder / f"{goal.data}{ending}" for ending in ENDINGS]
        path = next((path for path in paths if path.is_file()), None)
        found += [path] if path else []
        missing += [] if path else [goal.data]
    if missing:
        raise DataError(f"{folder}: without the data sets {', '.join(missing)}")
    return found


def results(report: JudgeReport) -> list[Result]:
    """Every goal whose data set and language was judged."""
    by_name = {(part.data, part.lang): part for part in report.languages}
    found: list[Result] = []
    for goal in PUBLIC:
        parts = [
            by_name[goal.data, lang] for lang in goal.languages if (goal.data, lang) in by_name
        ]
        found += _public(goal, parts)
    for part in report.languages:
        if part.data == OWN and part.lang in OWN_LANGUAGES:
            found += list(_own(part))
    for agreement in report.parallel.get(f"{OWN} ({PARALLEL})", []):
        found.append(
            _share("same severity", f"{OWN} ({PARALLEL})", " ".join(agreement.languages), 0.90,
                   agreement.severity)
        )  # fmt: skip
    return found


def _public(goal: PublicGoal, parts: Sequence[LanguageReport]) -> Iterator[Result]:
    scored = [(part, part.sentiment) for part in parts if part.sentiment is not None]
    for part, figures in scored:
        least = None if goal.mean_only else goal.least
        yield _value("sentiment macro-F1", part.data, part.lang, figures.rows, least,
                     figures.macro_f1)  # fmt: skip
    if goal.mean_only and len(scored) == len(goal.languages):
        mean = sum(figures.macro_f1 for _, figures in scored) / len(scored)
        rows = sum(figures.rows for _, figures in scored)
        yield _value(
            "sentiment macro-F1", goal.data, "mean of the languages", rows, goal.least, mean
        )


def _own(part: LanguageReport) -> Iterator[Result]:
    where = (part.data, part.lang)
    if (felt := part.sentiment) is not None:
        yield _value("sentiment macro-F1", *where, felt.rows, 0.85, felt.macro_f1)
        yield _error("sentiment ECE", *where, felt.rows, felt.calibration)
    if (graded := part.severity) is not None:
        yield _value("severity macro-F1", *where, graded.rows, 0.70, graded.macro_f1)
        yield _share("recall of critical", *where, 0.95, graded.critical_recall)
        yield _share("precision of critical", *where, 0.70, graded.critical_precision)
        yield _share("harmless ones graded high or worse", *where, None, graded.false_alarms)
        yield _error("severity ECE", *where, graded.rows, graded.calibration)
    if (filed := part.categories) is not None:
        yield _value("categories micro-F1", *where, filed.rows, 0.75, filed.micro_f1)
        yield _error("categories ECE", *where, filed.rows, filed.calibration)
    if (evidence := part.evidence) is not None:
        yield _share("grade falls without its evidence", *where, 0.95, evidence.lowered)


def _value(what: str, data: str, lang: str, rows: int, least: float | None, value: float) -> Result:
    goal = "" if least is None else f"≥ {least:.2f}"
    met = None if least is None else value >= least
    return Result(what=what, data=data, lang=lang, rows=rows, goal=goal, value=value, beside="",
                  is_met=met)  # fmt: skip


def _error(what: str, data: str, lang: str, rows: int, found: Calibration) -> Result:
    return Result(what=what, data=data, lang=lang, rows=rows, goal="≤ 0.05", value=found.error,
                  beside=f"by chance {found.floor:.2f}", is_met=found.error <= 0.05)  # fmt: skip


def _share(what: str, data: str, lang: str, least: float | None, found: Share) -> Result:
    goal = "" if least is None else f"≥ {least:.2f}"
    met = None if least is None or not found.total else found.value >= least
    return Result(what=what, data=data, lang=lang, rows=found.total, goal=goal, value=found.value,
                  beside=f"{found.low:.2f}-{found.high:.2f}", is_met=met)  # fmt: skip
