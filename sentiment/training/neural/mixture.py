"""Which public texts a network learns: a planned share of every set, never the same text as one
that a set is evaluated on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sentiment.training.corpora import (
    SENTIMENTS,
    DataSet,
    Row,
    key,
    read_rows,
    split_of,
    twin_key,
)

#: twitter15: one annotator a language, and the label follows the topic (bad news = negative).
TOPICAL_WEIGHT: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How much of each public set is learned."""

    cap: int  #: rows of one language and label of a set, where ``caps`` names none
    topical_cap: int  #: … of the two-way twitter15 sets
    caps: Mapping[str, int]
    repeated: Mapping[str, int]  #: sets small and good enough to be read more than once


#: What the general stage learns: of everything something.
WIDE: Final = Mixture(
    cap=2_500,
    topical_cap=450,
    caps={
        "polemo2_sentence": 15_000, "polemo2_text": 800, "en_goemotions": 9_000,
        "twitter15_bcs_3class": 5_000, "umsab": 2_000, "en_proscons": 1_500, "xed_en_fi": 1_800,
        "xed_projected": 350, "hu_husst": 1_500, "no_norec_sentence": 1_500, "nusax": 500,
        "afrisenti": 800,
    },
    repeated={"parlasent_bcs": 2, "lv_tweets_fntm": 3, "lv_tweets_nicemanis": 2,
              "de_germeval2017": 2},
)  # fmt: skip
#: What the later stages draw from: reviews, and three classes in our languages.
NEAR: Final = Mixture(
    cap=400,
    topical_cap=150,
    caps={
        "polemo2_sentence": 20_000, "polemo2_text": 5_000, "en_goemotions": 4_000,
        "twitter15_bcs_3class": 10_000, "umsab": 2_000, "parlasent_bcs": 5_000,
        "de_germeval2017": 2_500, "de_sb10k": 2_500, "lv_tweets_fntm": 2_500,
        "lv_tweets_nicemanis": 2_500, "xed_projected": 100, "afrisenti": 200,
    },
    repeated={"parlasent_bcs": 3, "lv_tweets_fntm": 3, "lv_tweets_nicemanis": 2, "de_sb10k": 2},
)  # fmt: skip


def is_topical(name: str) -> bool:
    """The two-way twitter15 sets; the three-way one is labelled with more care."""
    return name.startswith("twitter15") and not name.endswith("3class")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text for the sentiment head."""

    text: str
    label: int  #: index in ``SENTIMENTS``
    weight: float
    lang: str
    data_set: str


def general_texts(
    folder: Path, sets: Iterable[DataSet], mixture: Mixture, evaluated: set[bytes]
) -> tuple[list[Labelled], list[Labelled]]:
    """Rows to train on and rows to watch (the dev splits, at most 20 a set, language and label).

    ``evaluated`` are the twin keys of what is not learned.
    """
    train: list[Row] = []
    dev: list[Row] = []
    for data_set in sets:
        rows = [row for row in read_rows(folder, data_set.name) if row.label in SENTIMENTS]
        cap = mixture.caps.get(data_set.name, mixture.cap)
        if is_topical(data_set.name):
            cap = mixture.topical_cap
        chosen = _at_most(split_of(rows, "train"), cap)
        train += chosen * mixture.repeated.get(data_set.name, 1)
        dev += _at_most(split_of(rows, "dev"), 20)
    train = [row for row in train if twin_key(row.text) not in evaluated]
    return _labelled(train), _labelled(dev)


def _at_most(rows: list[Row], cap: int) -> list[Row]:
    taken: Counter[tuple[str, str]] = Counter()
    kept = []
    for row in sorted(rows, key=lambda row: key(row.text)):
        group = (row.lang, row.label)
        if taken[group] < cap:
            taken[group] += 1
            kept.append(row)
    return kept


def _labelled(rows: list[Row]) -> list[Labelled]:
    """Rare labels of a set and language count more, by the root of their rarity."""
    counts = Counter((row.data_set, row.lang, row.label) for row in rows)
    labels = Counter((name, lang) for name, lang, _ in counts)
    sums = Counter((row.data_set, row.lang) for row in rows)
    result = []
    for row in rows:
        group = (row.data_set, row.lang)
        even = sums[group] / labels[group]
        weight = min(3.0, (even / counts[(*group, row.label)]) ** 0.5)
        if is_topical(row.data_set):
            weight *= TOPICAL_WEIGHT
        label = SENTIMENTS.index(row.label)
        result.append(Labelled(row.text, label, weight, row.lang, row.data_set))
    return result
