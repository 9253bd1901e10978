"""Our own labelled posts: the only texts that know what severity is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.types import Category, Sentiment, Severity

DATA: Final = Path(__file__).parent / "data"
POSTS: Final = DATA / "posts.jsonl"
#: More training posts, each file written against what a network that knew the others got wrong.
LATER: Final = (DATA / "harder.jsonl", DATA / "wider.jsonl")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader says of a post."""

    sentiment: Sentiment
    severity: Severity
    categories: frozenset[Category]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPost:
    """One invented post with the grade that a careful reader gives it."""

    text: str
    lang: str
    sentiment: Sentiment
    severity: Severity
    categories: frozenset[Category]
    evidence: tuple[str, ...]  #: parts of the text that justify the grade
    kind: str
    scenario: str  #: posts of one scenario tell the same event; they share a split
    trap: str | None  #: why a careless reader would grade it wrongly, e.g. ``negated``
    plain: bool  #: a complaint told in plain facts, without a word that judges
    split: str  #: train, dev, test or parallel
    readings: tuple[Reading, ...]  #: the writer's, then that of who read without knowing it


def read_posts(*paths: Path) -> list[LabelledPost]:
    """All posts of these files (one JSON object a line, packed if it ends in .gz), or all of ours.

    ``ValueError`` names the line that is no such post, or whose evidence its text does not have.
    """
    return [post for path in paths or (POSTS, *LATER) for post in _read(path)]


def _read(path: Path) -> Iterator[LabelledPost]:
    body = path.read_bytes()
    text = (gzip.decompress(body) if path.suffix == ".gz" else body).decode("utf-8")
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _post(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = f"no {error}" if isinstance(error, KeyError) else str(error)
                raise ValueError(f"{path}, line {number}: {what}") from error


def _post(line: str) -> LabelledPost:
    record = json.loads(line)
    for part in record["evidence"]:
        if part not in record["text"]:
            raise ValueError(f"evidence {part!r} does not occur in {record['text']!r}")
    label = _reading(record)
    return LabelledPost(
        text=record["text"],
        lang=record["lang"],
        sentiment=label.sentiment,
        severity=label.severity,
        categories=label.categories,
        evidence=tuple(record["evidence"]),
        kind=record["kind"],
        scenario=record["scenario"],
        trap=record["trap"],
        plain=record["plain"],
        split=record["split"],
        readings=tuple(_reading(reading) for reading in record["readings"]),
    )


def _reading(record: dict[str, Any]) -> Reading:
    return Reading(
        sentiment=Sentiment(record["sentiment"]),
        severity=Severity.of(record["severity"]),
        categories=frozenset(Category(name) for name in record["categories"]),
    )
