"""A checkpoint's sentiment beside the severity and the reasons of a judge of our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import structlog

from core.types import Sentiment, Severity
from sentiment.checkpoint.model import MOST_TOKENS, TAIL, Answers
from sentiment.judge import Judge, Judgement, grades_only
from sentiment.neural.clean import ADDRESS, PERSON, clean

log = structlog.get_logger()

VERSION: Final = 1
_STAND_INS: Final = re.compile(rf"{re.escape(PERSON)}|(?<!\w){ADDRESS}(?!\w)")
#: A letter, a digit, or a sign that is more than punctuation, such as an emoji.
_SAYS: Final = re.compile(r"[^\W_]|[^\s\w.,;:…()\"'@#/\\-]")


class Classify(Protocol):
    """What a loaded checkpoint does."""

    labels: tuple[str, ...]

    def __call__(self, texts: Sequence[str]) -> Answers: ...


class CheckpointJudge:
    """Sentiment by the checkpoint; language, severity, categories, reasons by ``grader``."""

    def __init__(
        self,
        classifier: Classify,
        meanings: Sequence[Sentiment],
        grader: Judge,
        *,
        title: str,
        digest: str,
    ) -> None:
        self._classify = classifier
        self._grader = grader
        self._meanings = tuple(meanings)
        self._spoken = tuple(part for part in Sentiment if part in self._meanings)
        self._name = f"hf:{title}+{self._mark(digest)},{grader.name}"
        if Sentiment.NEUTRAL not in self._spoken:
            log.warning("checkpoint_without_neutral", name=title, labels=classifier.labels)

    @property
    def name(self) -> str:
        """Both judges, e.g. ``hf:owner/name+1a2b3c4d,linear-2+9f8e7d6c``.

        The digits change with any file of the checkpoint, and with what its labels mean.
        """
        return self._name

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order."""
        graded = self._grader(texts)
        cleaned = [clean(text).text for text in texts]
        speaking = [place for place, text in enumerate(cleaned) if _says(text)]
        answers = self._classify([cleaned[place] for place in speaking])
        judged = [_with(judgement, _EVEN) for judgement in graded]
        for row, place in enumerate(speaking):
            judged[place] = _with(graded[place], self._likely(answers, row))
        return judged

    def grades_only(self) -> CheckpointJudge:
        """The same grades, and no time for reasons."""
        bare = copy(self)
        bare._grader = grades_only(self._grader)
        return bare

    def _likely(self, answers: Answers, row: int) -> Mapping[Sentiment, float]:
        """The labels' probabilities by what they mean; what was not understood is left open."""
        known = float(answers.known[row])
        likely = dict.fromkeys(Sentiment, 0.0)
        shares = answers.probabilities[row].tolist()
        for meant, probability in zip(self._meanings, shares, strict=True):
            likely[meant] += known * probability
        for spoken in self._spoken:
            likely[spoken] += (1 - known) / len(self._spoken)
        return likely

    def _mark(self, digest: str) -> str:
        parts = (VERSION, MOST_TOKENS, TAIL, digest, *self._meanings)
        return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:8]


_EVEN: Final = {sentiment: 1 / len(Sentiment) for sentiment in Sentiment}


def _says(text: str) -> bool:
    return _SAYS.search(_STAND_INS.sub(" ", text)) is not None


def _with(graded: Judgement, likely: Mapping[Sentiment, float]) -> Judgement:
    total = float(np.sum(list(likely.values())))
    sentiment_p = {sentiment: p / total for sentiment, p in likely.items()}
    return replace(graded, sentiment=_sentiment(sentiment_p, graded), sentiment_p=sentiment_p)


def _sentiment(likely: Mapping[Sentiment, float], graded: Judgement) -> Sentiment:
    """The likeliest; neutral where several are; negative where the level means harm."""
    if graded.severity >= Severity.HIGH:
        return Sentiment.NEGATIVE
    best = [sentiment for sentiment in Sentiment if likely[sentiment] == max(likely.values())]
    return best[0] if len(best) == 1 else Sentiment.NEUTRAL
