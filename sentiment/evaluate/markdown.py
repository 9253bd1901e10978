"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from sentiment.evaluate.tables import Table


def markdown(table: Table, *, level: int = 2) -> str:
    """A heading, the table, its note; whatever stands in a cell, the table stays one."""
    rules = ["---"] * table.names + ["---:"] * (len(table.columns) - table.names)
    lines = [_row(table.columns), _row(rules), *(_row(row) for row in table.rows)]
    note = f"\n{table.note}\n" if table.note else ""
    return f"{'#' * level} {table.title}\n\n" + "\n".join(lines) + f"\n{note}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())
