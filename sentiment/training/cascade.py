"""When may the quick judge settle a text? Chosen on dev data, by what its word would lose."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import f1_score

from core.types import Sentiment, Severity
from sentiment.cascade import Harmless
from sentiment.judge import Judgement

LOW = (0.02, 0.05, 0.08, 0.12, 0.16, 0.20, 0.25, 0.30)
MEDIUM = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12)
SENTIMENT = (0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a cascade saves and costs on some texts."""

    settled: float  #: share of the texts that the thorough judge never sees
    lost: float  #: macro-F1 of sentiment without the cascade, less that with it
    missed: int  #: texts that the thorough judge grades medium and above, settled as harmless

    def __str__(self) -> str:
        return (
            f"a cascade settles {self.settled:.0%} of the dev texts, costs {self.lost:.3f} of "
            f"macro-F1 and misses {self.missed} of medium and above"
        )


def choose(
    quick: Sequence[Judgement],
    thorough: Sequence[Judgement],
    truth: Sequence[Sentiment],
    *,
    most_lost: float = 0.005,
) -> tuple[dict[str, float], Effect]:
    """The thresholds that settle most texts, as ``judge.json`` keeps them, and their effect.

    The three rows are of the same texts. At most ``most_lost`` of macro-F1 may go, and of what
    the thorough judge grades high or above nothing may be settled. When nothing meets that, the
    strictest thresholds are returned.
    """
    grid = [
        Harmless(low_at_most=low, medium_at_most=medium, sentiment_at_least=sentiment)
        for low, medium, sentiment in itertools.product(LOW, MEDIUM, SENTIMENT)
    ]
    measured = [(effect(harmless, quick, thorough, truth), harmless) for harmless in grid]
    fitting = [
        (one.settled, -one.missed, -number)
        for number, (one, harmless) in enumerate(measured)
        if one.lost <= most_lost and not _grave(harmless, quick, thorough)
    ]
    strictest = Harmless(
        low_at_most=LOW[0], medium_at_most=MEDIUM[0], sentiment_at_least=SENTIMENT[-1]
    )
    best = measured[-max(fitting)[2]][1] if fitting else strictest
    return asdict(best), effect(best, quick, thorough, truth)


def effect(
    harmless: Harmless,
    quick: Sequence[Judgement],
    thorough: Sequence[Judgement],
    truth: Sequence[Sentiment],
) -> Effect:
    """What these thresholds would do to these texts."""
    settled = np.array([harmless(one) for one in quick])
    names = [sentiment.value for sentiment in Sentiment]
    alone = [one.sentiment.value for one in thorough]
    both = [
        one.sentiment.value if is_out else other
        for one, other, is_out in zip(quick, alone, settled, strict=True)
    ]
    right = [one.value for one in truth]
    without, having = (
        float(f1_score(right, given, average="macro", labels=names, zero_division=0.0))
        for given in (alone, both)
    )
    return Effect(
        settled=float(settled.mean()),
        lost=without - having,
        missed=sum(
            one.severity >= Severity.MEDIUM
            for one, is_out in zip(thorough, settled, strict=True)
            if is_out
        ),
    )


def _grave(harmless: Harmless, quick: Sequence[Judgement], thorough: Sequence[Judgement]) -> bool:
    pairs = zip(quick, thorough, strict=True)
    return any(second.severity >= Severity.HIGH and harmless(first) for first, second in pairs)
