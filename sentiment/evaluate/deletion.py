"""Whether the evidence is what caused a grade: without it, the grade must fall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.types import Severity
from sentiment.evaluate.metrics import Share, share
from sentiment.judge import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFigures:
    """On the texts that the judge graded medium or worse, rightly or not."""

    graded: int
    with_evidence: Share
    lowered: Share  #: the level falls; a text without evidence counts as not lowered
    less_likely: Share  #: "at least this level" becomes less probable
    covered: float  #: mean share of a text's characters that is evidence: all of it proves nothing


def without_evidence(text: str, judgement: Judgement) -> str:
    """The text with each span of evidence replaced by one space."""
    spans = sorted((span.start, span.end) for reason in judgement.reasons for span in reason.spans)
    parts, end = [], 0
    for start, stop in spans:
        parts.append(text[end : max(start, end)])
        end = max(stop, end)
    return " ".join([*parts, text[end:]])


def evidence_figures(
    texts: Sequence[str],
    judged: Sequence[Judgement],
    judge_again: Callable[[Sequence[str]], Sequence[Judgement]],
) -> EvidenceFigures | None:
    """Delete the judge's own evidence and ask again; None when it graded nothing so high."""
    graded = [
        (text, judgement)
        for text, judgement in zip(texts, judged, strict=True)
        if judgement.severity >= Severity.MEDIUM
    ]
    if not graded:
        return None
    reasoned = [(text, judgement) for text, judgement in graded if judgement.reasons]
    again = judge_again([without_evidence(text, judgement) for text, judgement in reasoned])
    pairs = list(zip([judgement for _, judgement in reasoned], again, strict=True))
    lowered = sum(after.severity < before.severity for before, after in pairs)
    less = sum(_reaches(after, before) < _reaches(before, before) for before, after in pairs)
    return EvidenceFigures(
        graded=len(graded),
        with_evidence=share(len(reasoned), len(graded)),
        lowered=share(lowered, len(graded)),
        less_likely=share(less, len(graded)),
        covered=sum(_covered(*pair) for pair in graded) / len(graded),
    )


def _reaches(judgement: Judgement, graded: Judgement) -> float:
    """Probability of the level that ``graded`` was given, or a worse one."""
    return sum(p for level, p in judgement.severity_p.items() if level >= graded.severity)


def _covered(text: str, judgement: Judgement) -> float:
    marked = {
        i for reason in judgement.reasons for s in reason.spans for i in range(s.start, s.end)
    }
    return len(marked) / max(len(text), 1)
