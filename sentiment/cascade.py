"""Two judges: a quick one settles what is plainly harmless, a thorough one reads the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.types import Severity
from sentiment.judge import Judge, Judgement, grades_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """When the quick judge's word is enough; chosen on dev data, stored with the model."""

    low_at_most: float  #: its probability of severity low and above
    medium_at_most: float  #: … of medium and above
    sentiment_at_least: float  #: … of the sentiment that it gives

    def __call__(self, judgement: Judgement) -> bool:
        """Whether no second look is needed."""
        grave = sum(p for level, p in judgement.severity_p.items() if level >= Severity.MEDIUM)
        low = grave + judgement.severity_p[Severity.LOW]
        return (
            judgement.severity is Severity.NONE
            and low <= self.low_at_most
            and grave <= self.medium_at_most
            and judgement.sentiment_p[judgement.sentiment] >= self.sentiment_at_least
        )


class CascadeJudge:
    """Settles each text on its own, so that what stands beside it changes nothing."""

    def __init__(self, quick: Judge, thorough: Judge, harmless: Harmless) -> None:
        self._quick = quick
        self._thorough = thorough
        self._harmless = harmless

    @property
    def name(self) -> str:
        """Both judges: a mention may come from either."""
        return f"{self._thorough.name}/{self._quick.name}"

    def grades_only(self) -> CascadeJudge:
        """The same two judges without reasons, where that is quicker."""
        return CascadeJudge(grades_only(self._quick), grades_only(self._thorough), self._harmless)

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order."""
        judged = self._quick(texts)
        doubtful = [row for row, one in enumerate(judged) if not self._harmless(one)]
        second = self._thorough([texts[row] for row in doubtful])
        for row, one in zip(doubtful, second, strict=True):
            judged[row] = one
        return judged
