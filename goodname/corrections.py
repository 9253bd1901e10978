"""`goodname corrections`: what people corrected, as training data and against the judges."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.errors import GoodnameError
from core.models import Mention, Workspace
from core.settings import Settings
from goodname.admin import operating
from goodname.rejudge import brands, read_since
from pipeline.agreement import JudgeAgreement, agreements
from pipeline.corrections import count_corrections, read_corrections

_console = Console(highlight=False)
_aside = Console(stderr=True, highlight=False)
_CAUTION = "People correct mostly what is wrong: compare judges by this; it is not their accuracy."


def export_corrections(
    path: Path | None, out: str, *, brand: str | None, since: str | None, demo: bool
) -> None:
    """Write one JSON line a corrected mention; the file appears whole or not at all."""
    with operating(path, demo=demo) as (session, settings):
        wanted = _wanted(session, settings, brand=brand, since=since, demo=demo)
        count, gone = count_corrections(session, *wanted)
        with _written(out) as file:
            lines = read_corrections(session, *wanted)
            for line in track(lines, "exporting", total=count - gone, console=_aside):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
    left_out = f"; {gone} left out: gone from their source" if gone else ""
    _aside.print(
        f"{count - gone} corrections written to {out}{left_out}", markup=False, soft_wrap=True
    )


def show_agreement(
    path: Path | None, *, brand: str | None, since: str | None, as_json: bool, demo: bool
) -> None:
    """Show how far each judge agrees with the people who corrected it."""
    with operating(path, demo=demo) as (session, settings):
        wanted = _wanted(session, settings, brand=brand, since=since, demo=demo)
        count, _ = count_corrections(session, *wanted)
        judges = agreements(session, *wanted)
    if as_json:
        print(json.dumps({"corrected": count, "judges": [_as_json(one) for one in judges]}))  # noqa: T201
        return
    table = Table("judge", "sentiment", "macro-F1", "severity", "macro-F1", "critical found")
    for one in judges:
        table.add_row(
            one.judge,
            f"{one.sentiment.agreed} of {one.sentiment.compared}",
            _share(one.sentiment.macro_f1),
            f"{one.severity.agreed} of {one.severity.compared}",
            _share(one.severity.macro_f1),
            _share(one.recall_of_critical),
        )
    _console.print(table)
    _console.print(f"{count} corrected mentions. {_CAUTION}", markup=False)


def _wanted(
    session: Session, settings: Settings, *, brand: str | None, since: str | None, demo: bool
) -> list[ColumnElement[bool]]:
    """Corrections of the settings' workspace, and of no other customer."""
    name = settings.workspace.name
    workspace_id = session.scalar(select(Workspace.id).where(Workspace.name == name))
    found: list[ColumnElement[bool]] = [Mention.workspace_id == workspace_id]
    if brand is not None:
        found.append(Mention.brand_id.in_(brands(session, settings, brand, demo=demo) or ()))
    start = read_since(since, now=datetime.now(UTC))
    return found if start is None else [*found, Mention.corrected_at >= start]


@contextmanager
def _written(out: str) -> Iterator[TextIO]:
    """The file to write to, packed when its name ends in .gz; "-" is standard output."""
    if out == "-":
        yield sys.stdout
        return
    target = Path(out)
    if target.is_dir():
        raise GoodnameError(f"cannot write {out or 'without a name'}: name a file")
    try:
        if target.exists() and not target.is_file():
            with target.open("wt", encoding="utf-8") as device:
                yield device
            return
        with _appearing(target) as file:
            yield file
    except OSError as error:
        raise GoodnameError(f"cannot write {out}: {error.strerror}") from None


@contextmanager
def _appearing(target: Path) -> Iterator[TextIO]:
    """A file beside the target, which takes its place when all is written."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        os.close(descriptor)
        opened = gzip.open if target.suffix == ".gz" else open
        with opened(part, "wt", encoding="utf-8") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _as_json(one: JudgeAgreement) -> dict[str, object]:
    told = asdict(one) | {"recall_of_critical": one.recall_of_critical}
    return told | {name: told[name].isoformat() for name in ("first_judged_at", "last_judged_at")}


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
