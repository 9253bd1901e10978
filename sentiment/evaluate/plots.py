"""The figures as pictures: SVG, written by hand, so that nothing need be installed to have them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from sentiment.evaluate.calibration import Calibration
from sentiment.evaluate.figures import LEVELS
from sentiment.evaluate.metrics import Matrix
from sentiment.evaluate.report import JudgeReport

COLUMNS: Final = 4  #: panels side by side
PANEL: Final = 240  #: pixels of a panel, its names included
INNER: Final = 140  #: pixels of the square in it
LEFT: Final = 78
TOP: Final = 62
BAR: Final = 13  #: pixels from one bar to the next
COLOURS: Final = ("#2f6db3", "#d98b2b", "#4b9c5f", "#9b5fb0", "#777777")

Marks = list[str]
Panel = tuple[str, Marks]  #: title (lines apart by a line feed) and what is drawn below it


def write_plots(reports: Sequence[JudgeReport], folder: Path) -> list[Path]:
    """F1 of all judges, and for each judge its confusions and its reliability; the files."""
    pictures = {"f1.svg": _bars(reports)}
    for number, report in enumerate(reports, 1):
        tail = f"-{number}" if len(reports) > 1 else ""
        rows = f"{report.judge}: rows are the truth, columns were given"
        pictures[f"sentiment-confusion{tail}.svg"] = _grid(rows, _sentiments(report))
        pictures[f"severity-confusion{tail}.svg"] = _grid(rows, _severities(report))
        claimed = f"{report.judge}: claimed probability (across) and share that was right (up)"
        pictures[f"reliability{tail}.svg"] = _grid(claimed, _reliabilities(report))
    written = []
    for name, picture in pictures.items():
        if picture:
            (folder / name).write_text(picture, encoding="utf-8")
            written.append(folder / name)
    return written


def _bars(reports: Sequence[JudgeReport]) -> str:
    """Macro-F1 of each set and language, one bar a judge; empty without figures."""
    rows: dict[str, dict[int, float]] = {}
    for number, report in enumerate(reports):
        for part in report.languages:
            for what, figures in (("sentiment", part.sentiment), ("severity", part.severity)):
                if figures is not None:
                    name = f"{part.data} {part.lang}: {what}"
                    rows.setdefault(name, {})[number] = figures.macro_f1
    if not rows:
        return ""
    marks = [_text(10, 20, "macro-F1", size=14)]
    y = 40
    for number, report in enumerate(reports):
        marks += [_box(10, y - 9, 10, 10, _colour(number)), _text(26, y, report.judge)]
        y += 18
    for name, values in rows.items():
        y += 6
        marks.append(_text(270, y + BAR * len(reports) / 2 + 4, name, anchor="end"))
        for number, value in values.items():
            marks.append(_box(280, y, 400 * value, BAR - 2, _colour(number)))
            marks.append(_text(284 + 400 * value, y + BAR - 3, f"{value:.2f}"))
            y += BAR
    return _picture(730, y + 20, marks)


def _sentiments(report: JudgeReport) -> list[Panel]:
    return [
        _heat_map(f"{part.data} {part.lang}", part.sentiment.labels, part.sentiment.confusion)
        for part in report.languages
        if part.sentiment is not None
    ]


def _severities(report: JudgeReport) -> list[Panel]:
    names = [level.label for level in LEVELS]
    return [
        _heat_map(f"{part.data} {part.lang}", names, part.severity.confusion)
        for part in report.languages
        if part.severity is not None
    ]


def _reliabilities(report: JudgeReport) -> list[Panel]:
    return [
        _reliability(f"{part.data} {part.lang}: {what}", figures.calibration)
        for part in report.languages
        for what, figures in (
            ("sentiment", part.sentiment),
            ("severity", part.severity),
            ("categories", part.categories),
        )
        if figures is not None
    ]


def _heat_map(title: str, labels: Sequence[str], matrix: Matrix) -> Panel:
    """The darker, the larger the share of its row; the numbers are counts."""
    cell = INNER / len(labels)
    marks: Marks = []
    for row, (label, counts) in enumerate(zip(labels, matrix, strict=True)):
        y = row * cell
        marks.append(_text(-5, y + cell / 2 + 4, label, anchor="end"))
        marks.append(_text(y + cell / 2, INNER + 12, label, turned=True))
        for column, count in enumerate(counts):
            share = count / max(sum(counts), 1)
            marks.append(_box(column * cell, y, cell, cell, COLOURS[0], opacity=share))
            ink = "white" if share > 0.6 else "black"
            at = column * cell + cell / 2
            marks.append(_text(at, y + cell / 2 + 4, str(count), anchor="middle", ink=ink))
    return title, [*marks, _frame()]


def _reliability(title: str, found: Calibration) -> Panel:
    """The diagonal is perfect."""
    points = [(b.confidence * INNER, INNER - b.right * INNER) for b in found.bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = [
        f'<line x1="0" y1="{INNER}" x2="{INNER}" y2="0" stroke="#999999"/>',
        f'<polyline points="{path}" fill="none" stroke="{COLOURS[0]}" stroke-width="1.5"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{COLOURS[0]}"/>' for x, y in points),
        _text(-5, INNER + 4, "0", anchor="end"),
        _text(-5, 6, "1", anchor="end"),
        _text(INNER, INNER + 14, "1", anchor="middle"),
        _frame(),
    ]
    return f"{title}\nECE {found.error:.3f} (by chance {found.floor:.3f})", marks


def _grid(title: str, panels: Sequence[Panel]) -> str:
    """Panels in rows below one title; empty without panels."""
    if not panels:
        return ""
    marks = [_text(10, 22, title, size=14)]
    for number, (name, inside) in enumerate(panels):
        x, y = number % COLUMNS * PANEL, number // COLUMNS * PANEL + 24
        lines = name.split("\n")
        marks += [_text(x + 10, y + 18 + 13 * i, line) for i, line in enumerate(lines)]
        marks.append(f'<g transform="translate({x + LEFT} {y + TOP - 20})">{"".join(inside)}</g>')
    width = max(min(COLUMNS, len(panels)) * PANEL, 620)
    return _picture(width, -(-len(panels) // COLUMNS) * PANEL + 40, marks)


def _picture(width: float, height: float, marks: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    font = 'font-family="sans-serif" font-size="11"'
    body = "\n".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    ink: str = "black",
    size: int = 0,
    turned: bool = False,
) -> str:
    large = f' font-size="{size}"' if size else ""
    turn = f' transform="rotate(40 {x:.1f} {y:.1f})"' if turned else ""
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"'
    return f"<text {at}{large}{turn}>{escape(_drawable(words))}</text>"


def _drawable(words: str) -> str:
    """XML has no place for control characters, not even escaped."""
    return "".join(c if c.isprintable() else "\ufffd" for c in words)


def _box(
    x: float, y: float, width: float, height: float, colour: str, *, opacity: float = 1.0
) -> str:
    shade = "" if opacity == 1.0 else f' fill-opacity="{opacity:.3f}"'
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {at} fill="{colour}"{shade}/>'


def _frame() -> str:
    return f'<rect width="{INNER}" height="{INNER}" fill="none" stroke="#666666"/>'


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
