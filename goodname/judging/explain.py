"""One text and its judgement, for a person's eyes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.types import Category, Sentiment, Severity
from sentiment.judge import Judgement

BAR: Final = 20  #: characters of a probability of 1
MOST_CHARS: Final = 4_000  #: of a longer text only the surroundings of the evidence are shown
AROUND: Final = 120  #: characters before and behind a span
_BAR_MARKS: Final = " ▏▎▍▌▋▊▉"

_LEVEL_STYLE: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "cyan",
    Severity.NONE: "green",
}
_FELT_STYLE: Final = {
    Sentiment.NEGATIVE: "red",
    Sentiment.NEUTRAL: "white",
    Sentiment.POSITIVE: "green",
}


def explained(text: str, judgement: Judgement, *, judge: str, console: Console) -> RenderableType:
    """Grade, probabilities, the text with its evidence marked, and the reasons in words.

    Where there is no colour, the evidence stands in ``[[…]]``.
    """
    parts: list[RenderableType] = [_head(judgement), Text()]
    marked = _marked(text, judgement, plain=console.color_system is None)
    parts += [marked, Text()] if text.strip() else []
    parts += [_reasons(judgement), Text()] if judgement.reasons else []
    parts += [_probabilities(judgement), Text()]
    likeliest = max(judgement.severity_p, key=lambda level: judgement.severity_p[level])
    if likeliest is not judgement.severity:
        why = f"{likeliest.label} is likelier, but to overlook a grave post costs more than a look"
        if judgement.severity < likeliest:
            why = f"{likeliest.label} is likeliest, but not sure enough"
        parts.append(Text(f"{judgement.severity.label}: {why}", style="dim"))
    language = judgement.language if judgement.language != "und" else "unknown language"
    sure = "" if judgement.language_p is None else f" ({judgement.language_p:.0%})"
    parts.append(Text(f"{language}{sure} · judged by {judge}", style="dim"))
    return Group(*parts)


def _head(judgement: Judgement) -> Text:
    head = Text()
    head.append(f" {judgement.severity.label} ", style=_LEVEL_STYLE[judgement.severity])
    head.append("  ")
    head.append(judgement.sentiment.value, style=_FELT_STYLE[judgement.sentiment])
    if judgement.categories:
        head.append("  ")
        head.append(", ".join(_words(category) for category in judgement.categories), style="bold")
    return head


def _probabilities(judgement: Judgement) -> Table:
    """Severity on the left, sentiment on the right, and the categories that come into question."""
    table = Table.grid(padding=(0, 2))
    levels = {level.label: (p, _LEVEL_STYLE[level]) for level, p in _falling(judgement.severity_p)}
    felt = {s.value: (p, _FELT_STYLE[s]) for s, p in judgement.sentiment_p.items()}
    likely = sorted(judgement.category_p.items(), key=lambda item: -item[1])[:5]
    about = {_words(c): (p, "bold") for c, p in likely if p >= 0.05 or c in judgement.categories}
    table.add_row(*(_bars(column) for column in (levels, felt, about) if column))
    return table


def _falling(levels: Mapping[Severity, float]) -> list[tuple[Severity, float]]:
    return sorted(levels.items(), key=lambda item: -item[0])


def _bars(rows: Mapping[str, tuple[float, str]]) -> Table:
    table = Table.grid(padding=(0, 1))
    for name, (p, style) in rows.items():
        colour = "red" if "on red" in style else style
        table.add_row(Text(name), Text(_bar(p), style=colour), Text(f"{p:4.0%}"))
    return table


def _bar(p: float) -> str:
    eighths = round(max(0.0, min(p, 1.0)) * BAR * 8)
    return ("█" * (eighths // 8) + _BAR_MARKS[eighths % 8]).ljust(BAR)[:BAR]


def _reasons(judgement: Judgement) -> Table:
    table = Table.grid(padding=(0, 1))
    for reason in judgement.reasons:
        table.add_row(Text("because"), Text(_visible(reason.because)))
    return table


def _marked(text: str, judgement: Judgement, *, plain: bool) -> Text:
    style = _LEVEL_STYLE[judgement.severity]
    spans = [(s.start, s.end) for reason in judgement.reasons for s in reason.spans]
    shown = Text()
    at = 0
    for start, end in _windows(len(text), spans):
        shown.append(" … " if start > at else "", style="dim")
        for first, last, is_evidence in _pieces(start, end, sorted(spans)):
            piece = _visible(text[first:last])
            if is_evidence and plain:
                piece = f"[[{piece}]]"
            shown.append(piece, style=f"underline {style}" if is_evidence else "")
        at = end
    shown.append(" …" if at < len(text) else "", style="dim")
    return shown


def _windows(length: int, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts of the text to show: all of it, or of a long one what surrounds the evidence."""
    if length <= MOST_CHARS:
        return [(0, length)]
    windows: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        start, end = max(0, start - AROUND), min(length, end + AROUND)
        if windows and start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
        else:
            windows.append((start, end))
    return windows or [(0, MOST_CHARS)]


def _pieces(
    start: int, end: int, spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, bool]]:
    """``text[start:end]`` cut where evidence begins and ends."""
    for first, last in spans:
        first, last = max(first, start), min(last, end)
        if first < last:
            yield start, first, False
            yield first, last, True
            start = last
    yield start, end, False


def _visible(text: str) -> str:
    """Control characters, direction marks and halves of characters as one mark each."""
    return "".join(
        c if c == "\n" or unicodedata.category(c)[0] != "C" or c == "\u200d"
        else ("\u2400" if c == "\0" else " " if c in "\t\r" else "\ufffd")
        for c in text
    )  # fmt: skip


def _words(category: Category) -> str:
    return category.value.replace("_", " ")
