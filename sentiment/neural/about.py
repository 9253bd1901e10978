"""``judge.json``: what the outputs of the network mean, and where to decide what."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from core.types import Category, Sentiment, Severity
from sentiment.cascade import Harmless

VERSION: Final = 2
FILE: Final = "judge.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The outputs' order, their calibration and the thresholds, all chosen on dev data."""

    length: int  #: tokens of one text at most, the two ends included
    tail: int  #: of a longer text, so many tokens are of its end
    sentiments: tuple[Sentiment, ...]  #: in output order
    categories: tuple[Category, ...]  #: in output order
    sentiment_temperature: float
    #: Severity is ``softmax(heard @ blend + shift)``, (8, 5) and (5,): ``heard`` of a text are the
    #: logarithms of what the network's own softmax says of five levels, then of ``sentiments``.
    severity_blend: tuple[tuple[float, ...], ...]
    severity_shift: tuple[float, ...]
    category_platt: tuple[tuple[float, float], ...]  #: probability = sigmoid(a * logit + b)
    #: Critical is given from this probability on, for a missed injury costs more than a look; what
    #: is below gets its most probable level.
    critical_at_least: float
    #: … and needs this share of the probability of none: a threshold low for recall must not call a
    #: text critical that is far more likely harmless.
    critical_beside_none: float
    category_threshold: tuple[float, ...]
    harmless: Harmless | None  #: when the first stage may settle a text; None: never


def lies_in(folder: Path) -> bool:
    """Whether the folder holds a judge of ours, whole or not."""
    return os.path.isfile(folder / FILE)  # noqa: PTH113 - a path that cannot be is none


def parse(body: bytes) -> About:
    """Read and check the file; ``ValueError`` says what is wrong with it."""
    stored = json.loads(body)
    if not isinstance(stored, dict) or stored.get("version") != VERSION:
        raise ValueError(
            f"judge.json is not of version {VERSION} (python -m sentiment.training.neural.publish "
            "FOLDER fits an older one again)"
        )
    if tuple(stored["levels"]) != tuple(level.label for level in Severity):
        raise ValueError("judge.json has other levels of severity")
    cascade = {name: float(value) for name, value in stored.get("cascade", {}).items()}
    if cascade and cascade.keys() != {field.name for field in fields(Harmless)}:
        raise ValueError("judge.json has other thresholds of the first stage")
    about = About(
        length=int(stored["length"]),
        tail=int(stored["tail"]),
        sentiments=tuple(Sentiment(name) for name in stored["sentiments"]),
        categories=tuple(Category(name) for name in stored["categories"]),
        sentiment_temperature=float(stored["sentiment_temperature"]),
        severity_blend=tuple(tuple(map(float, row)) for row in stored["severity_blend"]),
        severity_shift=tuple(map(float, stored["severity_shift"])),
        category_platt=tuple((float(a), float(b)) for a, b in stored["category_platt"]),
        critical_at_least=float(stored["critical"]["at_least"]),
        critical_beside_none=float(stored["critical"]["beside_none"]),
        category_threshold=tuple(float(part) for part in stored["category_threshold"]),
        harmless=Harmless(**cascade) if cascade else None,
    )
    _check(about)
    return about


def _check(about: About) -> None:
    if set(about.sentiments) != set(Sentiment) or len(about.sentiments) != len(Sentiment):
        raise ValueError("judge.json names other sentiments")
    if set(about.categories) != set(Category) or len(about.categories) != len(Category):
        raise ValueError("judge.json names other categories")
    if not 0 <= about.tail < about.length - 2:
        raise ValueError("judge.json has a tail as long as the text")
    for numbers in (about.category_platt, about.category_threshold):
        if len(numbers) != len(about.categories):
            raise ValueError("judge.json needs one number for each category")
    widths = [len(about.severity_shift), *map(len, about.severity_blend)]
    if widths != [len(Severity)] * (1 + len(Severity) + len(Sentiment)):
        raise ValueError("judge.json has a severity_blend or severity_shift of another size")
    if about.sentiment_temperature <= 0 or not all(map(math.isfinite, _numbers(about))):
        raise ValueError("judge.json has a number that cannot be")


def _numbers(about: About) -> Sequence[float]:
    return (
        about.sentiment_temperature,
        *(number for row in about.severity_blend for number in row),
        *about.severity_shift,
        about.critical_at_least,
        about.critical_beside_none,
        *about.category_threshold,
        *(number for pair in about.category_platt for number in pair),
        *(asdict(about.harmless).values() if about.harmless else ()),
    )
