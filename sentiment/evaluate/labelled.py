"""Labelled texts in JSON lines: public sets, our own posts, corrections of people."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import GoodnameError
from core.types import Category, Sentiment, Severity

ALL: Final = "all"  #: instead of the name of a split
PARALLEL: Final = "parallel"  #: the split whose scenarios are told once in each language
ENDINGS: Final = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


_SAID: Final = ("sentiment", "severity", "categories")


class DataError(GoodnameError):
    """A file holds nothing that a judge can be measured with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One text and what people say of it; None where they were not asked."""

    text: str
    lang: str  #: as the set says; ``und`` when it does not
    sentiment: Sentiment | None
    severity: Severity | None
    categories: frozenset[Category] | None
    scenario: str | None  #: texts of one scenario tell the same event
    plain: bool  #: a complaint told in plain facts
    trap: str | None  #: why a careless reader would grade it wrongly


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The texts of one split of a file."""

    name: str
    texts: tuple[Labelled, ...]
    answers: Mapping[str, tuple[Sentiment, ...]]  #: that occur in a language, without any limit
    skipped: int  #: lines that are broken or carry no label that a judge knows
    is_parallel: bool = False  #: each scenario is told once in each language

    @property
    def languages(self) -> list[str]:
        """In the order of the alphabet."""
        return sorted({text.lang for text in self.texts})


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named, folders as the data files in them, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.endswith(ENDINGS))
            if not inside:
                raise DataError(f"{path}: no {' or '.join(ENDINGS[:2])} file in this folder")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"{path}: no such file")
    return found


def read_data(path: Path, *, split: str = "test", limit: int | None = None) -> list[DataSet]:
    """The wanted split, and beside ``test`` the parallel set where the file has one.

    A line without a split belongs to every split. ``limit``: at most so many texts of each
    language, the same ones on every run; a parallel set is always whole. Raises ``DataError``
    when nothing is left.
    """
    splits: dict[str, list[Labelled]] = {}
    unsplit: list[Labelled] = []
    skipped = 0
    for record in _records(path):
        text = _labelled(record) if record is not None else None
        if text is None or record is None:
            skipped += 1
        elif isinstance(record.get("split"), str):
            splits.setdefault(record["split"], []).append(text)
        else:
            unsplit.append(text)
    name = data_name(path)
    chosen = [t for ts in splits.values() for t in ts] if split == ALL else splits.get(split, [])
    chosen = chosen + unsplit
    sets = [_data_set(name, chosen, limit=limit, skipped=skipped)]
    if split == "test" and PARALLEL in splits:
        told = _data_set(f"{name} ({PARALLEL})", splits[PARALLEL], is_parallel=True)
        sets.append(told)
    sets = [data for data in sets if data.texts]
    if not sets:
        raise DataError(_nothing(path, split, splits, skipped))
    return sets


def data_name(path: Path) -> str:
    """The file's name without its endings."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".ndjson")


def _data_set(
    name: str,
    texts: Sequence[Labelled],
    *,
    limit: int | None = None,
    skipped: int = 0,
    is_parallel: bool = False,
) -> DataSet:
    said: dict[str, set[Sentiment | None]] = {}
    for text in texts:
        said.setdefault(text.lang, set()).add(text.sentiment)
    return DataSet(
        name=name,
        texts=tuple(_at_most(texts, limit)),
        answers={lang: tuple(s for s in Sentiment if s in found) for lang, found in said.items()},
        skipped=skipped,
        is_parallel=is_parallel,
    )


def _records(path: Path) -> Iterator[dict[str, Any] | None]:
    """One a line that is not blank; None for a line that is no JSON object."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            for line in gzip.GzipFile(fileobj=raw) if packed else raw:
                if line.strip():
                    yield _record(line)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _labelled(record: dict[str, Any]) -> Labelled | None:
    """None without a text or a label; a label that is wrong makes the whole line worthless."""
    text, lang = record.get("text"), record.get("lang")
    if isinstance(given := record.get("given"), list):
        # An exported correction: what the person did not say is the judge's own word.
        record = {key: v for key, v in record.items() if key not in _SAID or key in given}
    try:
        sentiment = _label(record.get("sentiment", record.get("label")), Sentiment)
        severity = _label(record.get("severity"), Severity.of)
        named = record.get("categories")
        categories = None if named is None else frozenset(Category(name) for name in named)
    except (ValueError, TypeError, AttributeError):
        return None
    if not isinstance(text, str) or (sentiment is None and severity is None and not categories):
        return None
    scenario, trap = record.get("scenario"), record.get("trap")
    return Labelled(
        text=text,
        lang=lang if isinstance(lang, str) and lang else "und",
        sentiment=sentiment,
        severity=severity,
        categories=categories,
        scenario=scenario if isinstance(scenario, str) else None,
        plain=record.get("plain") is True,
        trap=trap if isinstance(trap, str) else None,
    )


def _label(value: Any, read: Any) -> Any:
    return None if value is None else read(value)


def _at_most(texts: Sequence[Labelled], limit: int | None) -> list[Labelled]:
    if limit is None:
        return list(texts)
    taken: Counter[str] = Counter()
    kept = []
    for text in sorted(texts, key=lambda text: _shuffled(text.text)):
        if taken[text.lang] < limit:
            taken[text.lang] += 1
            kept.append(text)
    return kept


def _shuffled(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _nothing(path: Path, split: str, splits: dict[str, list[Labelled]], skipped: int) -> str:
    if splits:
        known = ", ".join(f"{name} ({len(texts)})" for name, texts in sorted(splits.items()))
        return f"{path}: no text of the split {split!r}; it has {known}: choose with --split"
    what = "negative, neutral or positive in `sentiment` or `label`, or a level in `severity`"
    return f"{path}: none of its {skipped} lines has a `text` and a label ({what})"
