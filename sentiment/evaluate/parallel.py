"""Whether the same facts get the same grade in every language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.types import Severity
from sentiment.evaluate.figures import Pair
from sentiment.evaluate.metrics import Share, share
from sentiment.judge import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of two languages, or of all of them when ``languages`` names more."""

    languages: tuple[str, ...]
    severity: Share  #: scenarios with the same level in all of these languages
    near: Share  #: scenarios whose levels are at most one apart
    sentiment: Share  #: scenarios with the same sentiment


def agreements(pairs: Sequence[Pair]) -> list[Agreement]:
    """All languages at once first, then two by two; empty unless two languages share a scenario."""
    told: dict[str, dict[str, Judgement]] = defaultdict(dict)
    for text, judged in pairs:
        if text.scenario is not None:
            told[text.scenario].setdefault(text.lang, judged)
    languages = sorted({lang for versions in told.values() for lang in versions})
    groups = [tuple(languages)] if len(languages) > 2 else []
    groups += list(combinations(languages, 2))
    found = [_agreement(list(told.values()), group) for group in groups]
    return [agreement for agreement in found if agreement.severity.total]


def _agreement(told: Sequence[Mapping[str, Judgement]], languages: tuple[str, ...]) -> Agreement:
    levels: list[set[Severity]] = []
    same = 0
    for versions in told:
        if all(lang in versions for lang in languages):
            levels.append({versions[lang].severity for lang in languages})
            same += len({versions[lang].sentiment for lang in languages}) == 1
    total = len(levels)
    return Agreement(
        languages=languages,
        severity=share(sum(len(found) == 1 for found in levels), total),
        near=share(sum(max(found) - min(found) <= 1 for found in levels), total),
        sentiment=share(same, total),
    )
