"""Which words caused a grade: those without which the judge grades the text lower.

Nothing is inferred from inside the network; each answer was tried by judging the text without the
words. Where the severity head looks only says what to try first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.types import Category, Severity
from sentiment.judge import Reason, Span
from sentiment.neural.clean import Cleaned
from sentiment.neural.decide import Opinion
from sentiment.neural.phrases import Phrase, Word, phrases_of, words_of
from sentiment.neural.tokens import Tokens
from sentiment.quote import quote

LEAST: Final = Severity.MEDIUM  #: lower grades need no reason
_TRIED_ALONE: Final = 2
_TRIED_TOGETHER: Final = (3, 5, 8)
_SHOWN: Final = 3  #: phrases of a text of which no few words account for the grade
#: Fewer words may stand for more only while they carry so much of what the others carried: a
#: grade near its threshold falls with any word, and "who" is no reason for a person.
CARRIED: Final = 0.6
#: Judgements of one text at most, beyond its own: 3 + 4 + 3 + 2 + 2.
MOST_TRIES: Final = 14

Spans = tuple[Span, ...]
Asking = Generator[list[Spans], list[Opinion], Reason]


@dataclass(frozen=True, slots=True)
class Case:
    """A graded text whose reasons are wanted."""

    text: str  #: as given
    cleaned: Cleaned
    tokens: Tokens
    look: npt.NDArray[np.float64]  #: one share a token
    opinion: Opinion


def explain(cases: Sequence[Case], judge: Callable[[Sequence[str]], list[Opinion]]) -> list[Reason]:
    """One reason a case; all cases ask their next questions together, in one call of ``judge``."""
    found: dict[int, Reason] = {}
    asking = {number: _search(case) for number, case in enumerate(cases)}
    asked: dict[int, list[Spans]] = {}
    for number, search in asking.items():
        try:
            asked[number] = next(search)
        except StopIteration as done:
            found[number] = done.value
    while asked:
        answers = iter(
            judge([without(cases[number].text, spans)
                   for number, tries in asked.items() for spans in tries])
        )  # fmt: skip
        following: dict[int, list[Spans]] = {}
        for number, tries in asked.items():
            try:
                following[number] = asking[number].send([next(answers) for _ in tries])
            except StopIteration as done:
                found[number] = done.value
        asked = following
    return [found[number] for number in range(len(cases))]


def without(text: str, spans: Spans) -> str:
    """The text with a space in the place of each span."""
    parts, at = [], 0
    for span in spans:
        parts.append(text[at : span.start])
        at = span.end
    return " ".join([*parts, text[at:]])


class _Search:
    """What is known of one case while it asks."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.words = words_of(case.cleaned.text)
        self.seen = _seen(case, self.words)

    def spans(self, phrases: Sequence[Phrase]) -> Spans:
        merged: list[Phrase] = []
        for phrase in sorted(phrases):
            if merged and phrase.first == merged[-1].last + 1:
                merged[-1] = Phrase(merged[-1].first, phrase.last)
            else:
                merged.append(phrase)
        return tuple(
            self.case.cleaned.span(
                self.words[p.first].start, self.words[p.last].end, self.case.text
            )
            for p in merged
        )

    def share(self, phrase: Phrase) -> float:
        return float(self.seen[phrase.first : phrase.last + 1].sum())

    def lowers(self, opinion: Opinion) -> bool:
        return opinion.level < self.case.opinion.level

    def push(self, opinion: Opinion) -> float:
        """Log-odds of at least this level that went with the words."""
        level = self.case.opinion.level
        return _log_odds(self.case.opinion.at_least(level)) - _log_odds(opinion.at_least(level))


def _search(case: Case) -> Asking:
    search = _Search(case)
    phrases = [p for p in phrases_of(search.words) if search.share(p) > 0]
    if not phrases:
        return _reason(search, (), None)
    ranked = sorted(phrases, key=lambda p: (-search.share(p), p))
    alone = [[phrase] for phrase in ranked[:_TRIED_ALONE]]
    tries = alone + ([ranked[:2]] if len(ranked) > 1 else [])
    answers = yield [search.spans(one) for one in tries]
    found = _smallest(search, tries, answers)
    if found is None:
        pushes = {t[0]: search.push(a) for t, a in zip(alone, answers, strict=False)}
        ranked.sort(key=lambda p: -pushes.get(p, -math.inf))
        together = [ranked[:n] for n in (*_TRIED_TOGETHER, len(ranked)) if 2 < n <= len(ranked)]
        tries = _distinct(together)
        if tries:
            answers = yield [search.spans(one) for one in tries]
            found = _smallest(search, tries, answers)
    if found is None:
        return _reason(search, tuple(ranked[:_SHOWN]), None)
    kept, opinion = found
    for shorter in (_fewer, _shorter, _shorter):
        tries = shorter(search, kept)
        if not tries:
            continue
        answers = yield [search.spans(one) for one in tries]
        better = _smallest(search, tries, answers, least=CARRIED * search.push(opinion))
        if better is None and shorter is _shorter:
            break
        kept, opinion = better or (kept, opinion)
    return _reason(search, tuple(kept), opinion)


def _smallest(
    search: _Search,
    tries: Sequence[list[Phrase]],
    answers: Sequence[Opinion],
    *,
    least: float = -math.inf,
) -> tuple[list[Phrase], Opinion] | None:
    """Of what lowers the grade and pushes at least so much: the fewest phrases, the most push."""
    fitting = [
        (len(phrases), -search.push(opinion), number)
        for number, (phrases, opinion) in enumerate(zip(tries, answers, strict=True))
        if search.lowers(opinion) and search.push(opinion) >= least
    ]
    if not fitting:
        return None
    number = min(fitting)[2]
    return tries[number], answers[number]


def _fewer(_: _Search, kept: Sequence[Phrase]) -> list[list[Phrase]]:
    """The same without one of the phrases."""
    return [[p for p in kept if p is not left] for left in kept[:3]] if len(kept) > 1 else []


def _shorter(search: _Search, kept: Sequence[Phrase]) -> list[list[Phrase]]:
    """The same with the longest phrase without its less looked at half, and third."""
    longest = max(kept, key=len)
    if len(longest) < 2:
        return []
    others = [phrase for phrase in kept if phrase is not longest]
    first, last = longest.first, longest.last
    cuts = []
    for gone in sorted({len(longest) // 2, -(-len(longest) // 3)}, reverse=True):
        ends = (Phrase(first, last - gone), Phrase(first + gone, last))
        cuts.append(max(ends, key=search.share))
    return [[*others, cut] for cut in cuts]


def _distinct(tries: Sequence[list[Phrase]]) -> list[list[Phrase]]:
    return list({len(one): one for one in tries}.values())


def _seen(case: Case, words: Sequence[Word]) -> npt.NDArray[np.float64]:
    """How much the severity head sees of each word."""
    seen = np.zeros(len(words))
    starts = np.array([word.start for word in words])
    for share, (start, end) in zip(case.look.tolist(), case.tokens.places, strict=True):
        # A piece begins at the space before its word.
        place = int(np.searchsorted(starts, max(end - 1, start), side="right")) - 1
        if place >= 0:
            seen[place] += share
    return seen


def _reason(search: _Search, phrases: Sequence[Phrase], opinion: Opinion | None) -> Reason:
    """In words; without an ``opinion`` no few words account for the grade."""
    case = search.case
    spans = search.spans(phrases) or (Span(start=0, end=len(case.text)),)
    quotes = ", ".join(f'"{quote(case.text[span.start : span.end])}"' for span in spans)
    category = _category(case.opinion, opinion)
    subject = str(category).replace("_", " ") if category else case.opinion.level.label
    if opinion is None:
        because = f"{subject}: the text as a whole, most of all {quotes}"
        return Reason(because=because, category=category, spans=spans, weight=0.0)
    weight = round(search.push(opinion), 4)
    return Reason(because=f"{subject}: {quotes}", category=category, spans=spans, weight=weight)


def _category(before: Opinion, after: Opinion | None) -> Category | None:
    """Of the text's categories the one that loses most with the words; else the likeliest."""
    if not before.categories:
        return None
    if after is None:
        return before.categories[0]
    order = list(Category)
    lost = before.category - after.category
    return max(before.categories, key=lambda category: lost[order.index(category)])


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
