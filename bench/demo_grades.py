"""What a judge makes of the demo's own texts, whose writers said what level they meant.

``python -m bench.demo_grades`` prints each text that is graded otherwise, worst first; these are
everyday posts as a brand owner meets them, few of them grave, and nothing was trained on them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from core.types import Severity
from goodname.demo.names import Names
from goodname.demo.posts import own_pool
from pipeline.judged_text import judged_text
from sentiment.judge import grades_only
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import SHIPPED, load_model

SHOWN_CHARS = 90


class Meant(NamedTuple):
    """A text of the demo as the judge reads it, and the level that its writer meant."""

    key: str
    text: str
    severity: Severity


class Graded(NamedTuple):
    """The same, and the level that it got."""

    meant: Meant
    severity: Severity
    critical: float  #: probability of critical


def main() -> None:
    """Judge all of them and show what differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="folder of a neural model")
    judge = grades_only(NeuralJudge(load_model(parser.parse_args().model), batch_size=8))
    texts = list(_texts())
    graded = [
        Graded(meant, found.severity, found.severity_p[Severity.CRITICAL])
        for meant, found in zip(texts, judge([meant.text for meant in texts]), strict=True)
    ]
    _show(judge.name, graded)


def _texts() -> Iterator[Meant]:
    pool, names = own_pool(), Names.given(None, None)
    for text in (*pool.ordinary, *pool.script):
        versions = [(text.key, text.text, text.severity)]
        if text.edited:
            versions.append((f"{text.key}, edited", text.edited.text, text.edited.severity))
        for key, body, severity in versions:
            if severity is None:
                continue
            title = names.fill(text.title, language=text.lang) if text.title else None
            said = names.fill(body, language=text.lang)
            yield Meant(key, judged_text(title, said), Severity.of(severity))


def _show(name: str, graded: list[Graded]) -> None:
    wrong = [one for one in graded if one.severity is not one.meant.severity]
    wrong.sort(key=lambda one: abs(one.severity - one.meant.severity), reverse=True)
    table = Table("text", "meant", "graded", "critical", "", title=name)
    for one in wrong:
        text = " ".join(one.meant.text.split())
        table.add_row(one.meant.key, one.meant.severity.label, one.severity.label,
                      f"{one.critical:.2f}", text[:SHOWN_CHARS])  # fmt: skip
    console = Console()
    console.print(table)
    critical = [one for one in graded if one.meant.severity is Severity.CRITICAL]
    found = sum(one.severity is Severity.CRITICAL for one in critical)
    false = sum(one.severity is Severity.CRITICAL for one in graded) - found
    console.print(f"{len(graded) - len(wrong)} of {len(graded)} levels as meant; critical: {found} "
                  f"of {len(critical)} found, {false} of the other {len(graded) - len(critical)} "
                  "called so")  # fmt: skip


if __name__ == "__main__":
    main()
