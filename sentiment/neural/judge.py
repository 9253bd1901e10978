"""The neural judge behind the common interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.types import Category, Sentiment, Severity
from sentiment.judge import Judgement, Reason
from sentiment.language import identify
from sentiment.neural.belief import belief
from sentiment.neural.clean import Cleaned, clean
from sentiment.neural.decide import Opinion, decide
from sentiment.neural.encoder import Encoder
from sentiment.neural.model import NeuralModel
from sentiment.neural.reasons import LEAST, Case, explain
from sentiment.neural.tokens import Tokens, tokenise

#: Raised with any change of the code that could change the grade that the same model's files give.
VERSION: Final = 1
#: Texts judged in one sweep; bounds memory whatever the batch.
SWEEP: Final = 512
#: Texts cleaned and tokenised by one thread at a time.
SHARE: Final = 16


@dataclass(frozen=True, slots=True)
class _Read:
    cleaned: Cleaned
    tokens: Tokens
    look: npt.NDArray[np.float64]
    opinion: Opinion


class NeuralJudge:
    """One network, no state that changes: any number of threads may call it.

    With ``batch_size`` 1 every text has runs of its own and its judgement is the same, to the last
    bit, whatever stands beside it.
    """

    def __init__(self, model: NeuralModel, *, threads: int = 0, batch_size: int = 1) -> None:
        self._model = model
        self._encoder = Encoder(model.session, threads=threads, batch_size=batch_size)
        self._explains = True
        self._name = f"neural-{VERSION}+{model.digest[:8]}"

    def grades_only(self) -> NeuralJudge:
        """The same judge, on the same threads, without reasons: they take several runs a text."""
        brief = copy(self)
        brief._explains = False
        return brief

    @property
    def name(self) -> str:
        """Kind, version and the first digits of the SHA-256 of the model's files."""
        return self._name

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order."""
        return [one for sweep in _sweeps(texts) for one in self._judge(sweep)]

    def _judge(self, texts: Sequence[str]) -> list[Judgement]:
        read = self._read(texts)
        grave = [row for row, one in enumerate(read) if one.opinion.level >= LEAST]
        reasons: dict[int, Reason] = {}
        if self._explains:
            cases = [
                Case(texts[row], of.cleaned, of.tokens, of.look, of.opinion)
                for row in grave
                for of in [read[row]]
            ]
            reasons = dict(zip(grave, explain(cases, self._opinions), strict=True))
        tags = self._encoder.each(identify, texts)
        return [
            _judgement(one.opinion, tag, (reasons[row],) if row in reasons else ())
            for row, (one, tag) in enumerate(zip(read, tags, strict=True))
        ]

    def _opinions(self, texts: Sequence[str]) -> list[Opinion]:
        return [one.opinion for sweep in _sweeps(texts) for one in self._read(sweep)]

    def _read(self, texts: Sequence[str]) -> list[_Read]:
        shares = [texts[start : start + SHARE] for start in range(0, len(texts), SHARE)]
        legible = [pair for pairs in self._encoder.each(self._tokens, shares) for pair in pairs]
        logits = self._encoder([tokens.ids for _, tokens in legible])
        beliefs = [belief(cleaned, tokens) for cleaned, tokens in legible]
        opinions = decide(logits, beliefs, self._model.about)
        return [
            _Read(cleaned, tokens, look, opinion)
            for (cleaned, tokens), look, opinion in zip(legible, logits.look, opinions, strict=True)
        ]

    def _tokens(self, texts: Sequence[str]) -> list[tuple[Cleaned, Tokens]]:
        cleaned = [clean(text) for text in texts]
        found = tokenise(cleaned, self._model.tokenizer, self._model.about)
        return list(zip(cleaned, found, strict=True))


def _sweeps(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), SWEEP):
        yield texts[start : start + SWEEP]


def _judgement(
    opinion: Opinion, tag: tuple[str, float | None], reasons: tuple[Reason, ...]
) -> Judgement:
    language, language_p = tag
    sentiment_p = dict(zip(Sentiment, opinion.sentiment.tolist(), strict=True))
    return Judgement(
        language=language,
        language_p=language_p,
        sentiment=_sentiment(sentiment_p, opinion.level),
        sentiment_p=sentiment_p,
        severity=opinion.level,
        severity_p=dict(zip(Severity, opinion.severity.tolist(), strict=True)),
        categories=opinion.categories,
        category_p=dict(zip(Category, opinion.category.tolist(), strict=True)),
        reasons=reasons,
    )


def _sentiment(likely: dict[Sentiment, float], severity: Severity) -> Sentiment:
    """The likeliest; a grave text is negative by what the levels mean."""
    if severity >= Severity.HIGH:
        return Sentiment.NEGATIVE
    return max(likely, key=lambda sentiment: likely[sentiment])
