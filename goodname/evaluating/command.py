"""Judge labelled texts, print the figures, and write them down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import GoodnameError
from core.settings import load_settings
from goodname.evaluating.shown import shown
from sentiment.evaluate.goals import OWN, goal_files
from sentiment.evaluate.labelled import DataError, DataSet, data_name, find_files, read_data
from sentiment.evaluate.markdown import markdown
from sentiment.evaluate.plots import write_plots
from sentiment.evaluate.report import JudgeReport, report
from sentiment.evaluate.tables import Table, goals_tables, judge_tables
from sentiment.judge import Judge
from sentiment.load import open_judge

PIPE_WIDTH = 220  #: columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was asked for on the command line."""

    data: tuple[Path, ...]
    models: tuple[str, ...] = ()  #: empty: that of the settings
    split: str = "test"
    limit: int | None = None  #: texts of each language of a set
    goals: bool = False  #: the public sets with a goal, from the folders, and our own posts
    out: Path | None = None  #: a folder
    as_json: bool = False
    fresh: bool = False  #: judge again what was judged before
    settings: Path | None = None


def evaluate(wanted: Evaluation) -> None:
    """Print a table for each question, and write report, JSON and plots if there is a folder."""
    told = Console(stderr=True, highlight=False)
    sets = _read(wanted, told)
    reports = [_judged(judge, sets, wanted, told) for judge in _judges(wanted)]
    tables = goals_tables(reports)
    if wanted.as_json:
        document = {"split": wanted.split, "judges": [found.document() for found in reports]}
        print(json.dumps(document, indent=2))  # noqa: T201
    else:
        out = Console(highlight=False)
        if not out.is_terminal:  # a pipe has no width, and a cut table has lost its figures
            out = Console(highlight=False, width=PIPE_WIDTH)
        for title, table in [("", table) for table in tables] + _by_judge(reports):
            out.print(shown(table, title))
    if wanted.out is not None:
        _write(wanted.out, wanted, reports, tables, told)


def _by_judge(reports: Sequence[JudgeReport]) -> list[tuple[str, Table]]:
    return [(found.judge, table) for found in reports for table in judge_tables(found)]


def _read(wanted: Evaluation, told: Console) -> list[DataSet]:
    """All texts, before anything is judged: a wrong file shows at once."""
    if wanted.limit is not None and wanted.limit < 1:
        raise GoodnameError("--limit: a number of texts, at least 1")
    paths = _paths(wanted)
    named = {path for path in wanted.data if path.is_file()}
    sets: list[DataSet] = []
    for path in paths:
        if data_name(path) in {data.name for data in sets}:
            raise GoodnameError(f"{path}: a second data set of the name {data_name(path)!r}")
        try:
            found = read_data(path, split=wanted.split, limit=wanted.limit)
        except DataError as error:
            if path in named or wanted.goals:
                raise
            told.print(f"left out: {error}", markup=False, style="yellow", soft_wrap=True)
            continue
        for data in found:
            if data.skipped:
                words = f"{data.name}: {data.skipped} lines without a text or a known label"
                told.print(f"{words} are left out", markup=False, style="yellow", soft_wrap=True)
        sets += found
    if not sets:
        raise GoodnameError("nothing to evaluate: no data set with labels that a judge knows")
    return sets


def _paths(wanted: Evaluation) -> list[Path]:
    if not wanted.goals:
        if not wanted.data:
            raise GoodnameError("name labelled files (JSON lines) or folders; see --help")
        return find_files(wanted.data)
    from sentiment.training.posts import POSTS

    found: list[Path] = []
    for path in wanted.data:
        if path.exists():
            found += goal_files(path) if path.is_dir() else [path]
        else:
            raise DataError(f"{path}: no such file")
    return found if OWN in map(data_name, found) else [*found, POSTS]


def _judges(wanted: Evaluation) -> list[Judge]:
    section = load_settings(wanted.settings).sentiment
    models = dict.fromkeys(wanted.models or (section.model,))
    judges = [open_judge(section.with_model(model)) for model in models]
    return list(dict.fromkeys(judges))


def _judged(
    judge: Judge, sets: Sequence[DataSet], wanted: Evaluation, told: Console
) -> JudgeReport:
    memory = None if wanted.fresh else _memory(told)
    progress = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TextColumn("texts"), TimeRemainingColumn(), console=told, transient=True,
        disable=not told.is_terminal,
    )  # fmt: skip
    try:
        with progress:
            task = progress.add_task(judge.name, total=sum(len(data.texts) for data in sets))
            return report(
                judge, sets, memory=memory, advance=lambda count: progress.advance(task, count)
            )
    except KeyboardInterrupt:
        again = "" if memory is None else "; what was judged is kept: the same command goes on"
        raise GoodnameError(f"stopped{again}") from None
    except OSError as error:
        raise GoodnameError(f"cannot keep what was judged: {error}; see --fresh") from error


def _memory(told: Console) -> Path | None:
    """Where judgements are kept between runs; None where nothing can be kept."""
    folder = user_cache_path("goodname", appauthor=False) / "evaluate"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told.print(
            f"nothing is remembered: {folder}: {error.strerror}",
            markup=False,
            style="yellow",
            soft_wrap=True,
        )
        return None
    return folder


def _write(
    folder: Path,
    wanted: Evaluation,
    reports: Sequence[JudgeReport],
    goals: Sequence[Table],
    told: Console,
) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.md").write_text(_page(wanted, reports, goals), encoding="utf-8")
        document = {"split": wanted.split, "judges": [found.document() for found in reports]}
        (folder / "report.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        written = ["report.md", "report.json"]
        written += [path.name for path in write_plots(reports, folder)]
    except OSError as error:
        raise GoodnameError(f"{folder}: cannot write: {error.strerror}") from error
    told.print(f"{folder}: {', '.join(written)}", markup=False, soft_wrap=True)


def _page(wanted: Evaluation, reports: Sequence[JudgeReport], goals: Sequence[Table]) -> str:
    limit = f", at most {wanted.limit} texts of each language" if wanted.limit else ""
    parts = [f"# Figures\n\nSplit: `{wanted.split}`{limit}. Written by `goodname evaluate`.\n"]
    parts += [markdown(table) for table in goals]
    for found in reports:
        parts.append(f"## {found.judge}\n")
        parts += [markdown(table, level=3) for table in judge_tables(found)]
    return "\n".join(parts)
