"""Other people's labelled texts: read for training and for figures, never copied anywhere."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TRAINABLE = ("A", "A*", "A?", "B", "B?", "D")  #: class C is for evaluation only
SENTIMENTS = ("negative", "neutral", "positive")
#: Languages of the scripts that the alphabet folds; others would only fill the hash table.
LANGUAGES = frozenset({
    "bg", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it",
    "lt", "lv", "mk", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "uk",
})  # fmt: skip
#: What corpora mask or take out, each in its way, and signs, which they set off from words or not.
_WITHOUT_WORTH: Final = re.compile(r"@\s?\w+|https?\S*|\burl\b|[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text of one data set."""

    text: str
    label: str
    lang: str
    split: str
    data_set: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """What the index says of one file."""

    name: str
    kind: str  #: sentiment, severity, topic or aux
    licence_class: str


def licences(given: str) -> tuple[str, ...]:
    """Classes as written on a command line, e.g. ``A,B``; ``ArgumentTypeError`` for others."""
    classes = tuple(part.strip() for part in given.split(",") if part.strip())
    unknown = sorted({*classes} - {*TRAINABLE})
    if unknown or not classes:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'none given'}; known: {', '.join(TRAINABLE)}"
        )
    return tuple(sorted({*classes}))


def data_sets(folder: Path) -> list[DataSet]:
    """Every data set of the index, in its order."""
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [
        DataSet(name=e["name"], kind=e["kind"], licence_class=e.get("licence_class", "C"))
        for e in entries
        if (folder / f"{e['name']}.jsonl.gz").exists()
    ]


def read_rows(folder: Path, name: str) -> list[Row]:
    """All rows of one data set in a language that the judge serves."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [
        Row(
            text=r["text"],
            label=r["label"],
            lang=r["lang"],
            split=r["split"],
            data_set=name,
            domain=r["domain"],
        )
        for r in records
        if r["lang"] in LANGUAGES
    ]


def balanced(rows: Iterable[Row], *, cap: int) -> list[Row]:
    """At most ``cap`` rows for each language and label of a set, the same ones on every run."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[(row.lang, row.label)].append(row)
    smallest = {lang: min(len(g) for (of, _), g in groups.items() if of == lang)
                for lang, _ in groups}  # fmt: skip
    kept: list[Row] = []
    for (lang, _), group in sorted(groups.items()):
        # Labels stay within a factor of two of each other: "neutral" means something else
        # in every domain, and must not be learned from the proportions of one.
        most = min(cap, max(2 * smallest[lang], 50))
        kept += sorted(group, key=lambda row: key(row.text))[:most]
    return kept


def split_of(rows: Sequence[Row], split: str) -> list[Row]:
    """The rows of one split."""
    return [row for row in rows if row.split == split]


def evaluated_texts(folder: Path, sets: Iterable[DataSet]) -> set[bytes]:
    """Twin keys of the texts that any of the sets is measured on: whoever learns must not see them.

    All sets are to be named, also those that nobody learns from.
    """
    return {
        twin_key(row.text)
        for data_set in sets
        for row in read_rows(folder, data_set.name)
        if row.split != "train"
    }


def twin_key(text: str) -> bytes:
    """Equal for texts with the same words: two corpora space, point and mask one tweet differently.

    Of a text without words, such as emoji alone, it is the ``key``.
    """
    words = _WITHOUT_WORTH.sub("", text.casefold())
    return key(words or text)


def key(text: str) -> bytes:
    """Equal for texts that differ only in case and spacing; its order is a fair shuffle."""
    plain = " ".join(text.lower().split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(plain, digest_size=8).digest()
