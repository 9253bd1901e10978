"""What a checkpoint's labels mean: as the settings say, else as well-known names do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from core.errors import GoodnameError
from core.types import Sentiment

_KNOWN: Final = {
    "negative": Sentiment.NEGATIVE,
    "neg": Sentiment.NEGATIVE,
    "very negative": Sentiment.NEGATIVE,
    "1 star": Sentiment.NEGATIVE,
    "2 stars": Sentiment.NEGATIVE,
    "neutral": Sentiment.NEUTRAL,
    "neu": Sentiment.NEUTRAL,
    "3 stars": Sentiment.NEUTRAL,
    "positive": Sentiment.POSITIVE,
    "pos": Sentiment.POSITIVE,
    "very positive": Sentiment.POSITIVE,
    "4 stars": Sentiment.POSITIVE,
    "5 stars": Sentiment.POSITIVE,
}
_GAP: Final = re.compile(r"[\s_-]+")
_MOST_SHOWN: Final = 20


def meanings(
    labels: Sequence[str], *, given: Mapping[str, Sentiment], checkpoint: str
) -> tuple[Sentiment, ...]:
    """The sentiment of each label, in the checkpoint's order; several may mean the same.

    ``given`` wins over the well-known names. Raises ``GoodnameError`` for a label that neither
    explains, for a setting that names no label, and where nothing is or all is negative.
    """
    strangers = [label for label in given if label not in labels]
    if strangers:
        raise GoodnameError(
            f"[sentiment] labels names {_quoted(strangers)}, but {checkpoint} has the labels "
            f"{_quoted(labels)}; set: {_example(labels, given)}"
        )
    found = [given.get(label, _KNOWN.get(_plain(label))) for label in labels]
    unclear = [label for label, meant in zip(labels, found, strict=True) if meant is None]
    if unclear:
        raise GoodnameError(
            f"what do the labels {_quoted(unclear)} of {checkpoint} mean? Its labels are "
            f"{_quoted(labels)}; its card should say. Then set in [sentiment], e.g.: "
            f"{_example(labels, given)}"
        )
    meant = tuple(sentiment for sentiment in found if sentiment is not None)
    if Sentiment.NEGATIVE not in meant or len(set(meant)) < 2:
        raise GoodnameError(
            f"with these labels {checkpoint} could not tell negative from anything else; check "
            f"[sentiment] labels, e.g.: {_example(labels, {})}"
        )
    return meant


def _plain(label: str) -> str:
    return _GAP.sub(" ", label).strip().casefold()


def _quoted(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label[:40]) for label in labels[:_MOST_SHOWN])
    return shown + (f" and {len(labels) - _MOST_SHOWN} more" if len(labels) > _MOST_SHOWN else "")


def _example(labels: Sequence[str], given: Mapping[str, Sentiment]) -> str:
    """A line for the settings that has every label; whoever copies it checks the guesses."""
    turns = list(Sentiment)
    entries = []
    for place, label in enumerate(labels[:_MOST_SHOWN]):
        guess = turns[round(2 * place / max(len(labels) - 1, 1))]
        meant = given.get(label) or _KNOWN.get(_plain(label)) or guess
        entries.append(f'{_key(label)} = "{meant}"')
    return "labels = { " + ", ".join(entries) + " }"


def _key(label: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]+", label):
        return label
    return json.dumps(label, ensure_ascii=False)  # TOML escapes as JSON does
