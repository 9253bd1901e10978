"""A table of figures in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from sentiment.evaluate.tables import Table


def shown(table: Table, judge: str = "") -> RenderableType:
    """With its note below; a name that looks like markup stays as it is."""
    title = f"{table.title}: {judge}" if judge else table.title
    drawn = RichTable(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left")
    for number, column in enumerate(table.columns):
        drawn.add_column(Text(column), justify="left" if number < table.names else "right")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return Group(drawn, Text(table.note, style="dim")) if table.note else drawn
