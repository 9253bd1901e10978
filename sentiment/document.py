"""A judgement as JSON values: what the command line prints and files keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.types import Category, Sentiment, Severity
from sentiment.judge import Judgement, Reason, Span

Document = dict[str, Any]

DIGITS = 4  #: of a probability shown to people


def document(text: str, judgement: Judgement, *, probabilities: bool = False) -> Document:
    """What a reader wants of a judgement of ``text``; offsets count its characters.

    ``evidence`` names each span once, those of the strongest reason first, within a reason in the
    order of the text. With ``probabilities``, the keys ``language_p``, ``sentiment_p``,
    ``severity_p`` and ``category_p`` are added.
    """
    shown: Document = {
        "language": judgement.language,
        "sentiment": judgement.sentiment.value,
        "severity": judgement.severity.label,
        "categories": [category.value for category in judgement.categories],
        "evidence": evidence(text, judgement),
    }
    if probabilities:
        p = judgement.language_p
        shown["language_p"] = None if p is None else round(p, DIGITS)
        shown["sentiment_p"] = {s.value: round(p, DIGITS) for s, p in judgement.sentiment_p.items()}
        shown["severity_p"] = {s.label: round(p, DIGITS) for s, p in judgement.severity_p.items()}
        shown["category_p"] = {c.value: round(p, DIGITS) for c, p in judgement.category_p.items()}
    return shown


def evidence(text: str, judgement: Judgement) -> list[Document]:
    """``{"text", "start", "end", "category"}`` of each span that caused the grade."""
    found: dict[Span, Document] = {}
    for reason in judgement.reasons:
        for span in reason.spans:
            found.setdefault(
                span,
                {
                    "text": text[span.start : span.end],
                    "start": span.start,
                    "end": span.end,
                    "category": reason.category.value if reason.category else None,
                },
            )
    return list(found.values())


def kept(judgement: Judgement) -> Document:
    """Everything of a judgement, from which ``restored`` makes an equal one."""
    return {
        "language": [judgement.language, judgement.language_p],
        "sentiment": judgement.sentiment.value,
        "sentiment_p": {s.value: p for s, p in judgement.sentiment_p.items()},
        "severity": judgement.severity.label,
        "severity_p": {s.label: p for s, p in judgement.severity_p.items()},
        "categories": [category.value for category in judgement.categories],
        "category_p": {c.value: p for c, p in judgement.category_p.items()},
        "reasons": [
            {
                "because": reason.because,
                "category": reason.category.value if reason.category else None,
                "spans": [[span.start, span.end] for span in reason.spans],
                "weight": reason.weight,
            }
            for reason in judgement.reasons
        ],
    }


def restored(record: Mapping[str, Any]) -> Judgement:
    """What ``kept`` wrote; ``KeyError``, ``TypeError`` or ``ValueError`` if it is damaged."""
    language, language_p = record["language"]
    return Judgement(
        language=language,
        language_p=language_p,
        sentiment=Sentiment(record["sentiment"]),
        sentiment_p={Sentiment(name): p for name, p in record["sentiment_p"].items()},
        severity=Severity.of(record["severity"]),
        severity_p={Severity.of(name): p for name, p in record["severity_p"].items()},
        categories=tuple(Category(name) for name in record["categories"]),
        category_p={Category(name): p for name, p in record["category_p"].items()},
        reasons=tuple(
            Reason(
                because=reason["because"],
                category=Category(reason["category"]) if reason["category"] else None,
                spans=tuple(Span(start=start, end=end) for start, end in reason["spans"]),
                weight=reason["weight"],
            )
            for reason in record["reasons"]
        ),
    )
