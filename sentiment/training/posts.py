"""Our own labelled posts: the only texts that know what severity is."""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.types import Category, Sentiment, Severity

DATA: Final = Path(__file__).parent / "data"
POSTS: Final = DATA / "posts.jsonl"  #: the one file that has posts of every split
#: All of our own; those between the first and the last are for training, each written against what
#: a network that knew the ones before got wrong.
FILES: Final = tuple(
    DATA / f"{name}.jsonl"
    for name in (POSTS.stem, "harder", "wider", "everyday", "retold", "finer", "broad", "dev")
)

LABELS: Final = frozenset({"sentiment", "severity", "categories"})
SPLITS: Final = frozenset({"train", "dev", "test", "parallel"})


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
    #: Labels that a person gave; of an exported correction the others are the judge's own word.
    given: frozenset[str] = LABELS


def read_posts(*paths: Path) -> list[LabelledPost]:
    """All posts of these files, or all of ours; ``ValueError`` as ``parse_posts`` raises it."""
    return [
        post for path in paths or FILES for post in parse_posts(path.read_bytes(), name=str(path))
    ]


def parse_posts(body: bytes, *, name: str) -> list[LabelledPost]:
    """The posts of a file, one JSON object a line, packed by gzip or not.

    ``ValueError`` with the file's name and the line that is no such post, or whose evidence is no
    part of its text.
    """
    try:
        plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        text = plain.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {error}") from error
    return [post for number, line in enumerate(text.split("\n"), 1) if line.strip()
            for post in [_parse(line, f"{name}, line {number}")]]  # fmt: skip


def _parse(line: str, where: str) -> LabelledPost:
    try:
        record = json.loads(line)
        _check(record)
        return _post(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{where}: {what}") from error


def _check(record: Any) -> None:
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if not isinstance(record["text"], str) or not isinstance(record["evidence"], list):
        raise TypeError("`text` is a string and `evidence` a list of strings")
    for part in record["evidence"]:
        if part not in record["text"]:
            raise ValueError(f"evidence {part!r} does not occur in {record['text']!r}")
    if record["split"] not in SPLITS:
        raise ValueError(f"unknown split {record['split']!r}; known: {', '.join(sorted(SPLITS))}")
    if not record["readings"]:
        raise ValueError("nobody has read it: `readings` is empty")


def _post(record: dict[str, Any]) -> LabelledPost:
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
        given=_given(record.get("given"), label.severity),
    )


def _given(named: list[str] | None, severity: Severity) -> frozenset[str]:
    """Who says that a post is no complaint says, too, that it is about no category of them."""
    if named is None:
        return LABELS
    follows = {"categories"} if "severity" in named and severity is Severity.NONE else set()
    return (frozenset(named) & LABELS) | follows


def _reading(record: dict[str, Any]) -> Reading:
    named = (record["sentiment"], record["severity"], *record["categories"])
    return _read_as(*map(str, named))


@functools.lru_cache(maxsize=10_000)  # most posts are read as some other was
def _read_as(sentiment: str, severity: str, *categories: str) -> Reading:
    return Reading(
        sentiment=Sentiment(sentiment),
        severity=Severity.of(severity),
        categories=frozenset(map(Category, categories)),
    )
