"""Which language a text is in: a tag for reports and filters, never an input of a grade."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

#: ISO 639-1. Croatian, Bosnian and Serbian are one group: their tellers-apart guess.
SERVED: Final = (
    "bg", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it",
    "lt", "lv", "mk", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "uk",
)  # fmt: skip
HBS: Final = frozenset({"hr", "bs", "sr"})
UNKNOWN: Final = "und"

READ_CHARS: Final = 2_000  #: more does not change the answer
LEAST_LETTERS: Final = 8
LEAST_P: Final = 0.35
LEAST_PART: Final = 20  #: characters of a sentence that is looked at on its own
MOST_PARTS: Final = 5
SURE: Final = 0.9  #: a sentence counts as one of another language only then

_NOISE: Final = re.compile(r"(?:https?://|www\.)\S{1,2000}|[@#]\w{1,64}|<[^<>]{1,500}>|[\W\d_]+")
_SENTENCE: Final = re.compile(r"[.!?…\n]+(?=\s|$)")
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")


def identify(text: str) -> tuple[str, float | None]:
    """Tag and probability; ``("und", None)`` for texts too short, wordless or mixed to say.

    The probability of a text in several languages is the share of the one that is named.

    The Croatian-Bosnian-Serbian group is tagged ``hr`` in Latin script and ``sr`` in Cyrillic.
    """
    seen = text[:READ_CHARS]
    best, p = _of_one(seen)
    parts = [part for part in _SENTENCE.split(seen) if len(part) >= LEAST_PART][:MOST_PARTS]
    if len(parts) > 1:
        p *= _agreeing(best, parts)
    return (best, p) if p >= LEAST_P else (UNKNOWN, None)


def _agreeing(best: str, parts: Sequence[str]) -> float:
    """Share of the text that is not surely in another language: people mix them."""
    told = [(_of_one(part), len(part)) for part in parts]
    others = sum(length for (tag, p), length in told if tag != best and p >= SURE)
    return 1 - others / sum(map(len, parts))


def _of_one(text: str) -> tuple[str, float]:
    """The likeliest tag and its probability; 0 for too few letters."""
    words = _NOISE.sub(" ", text).strip()
    if sum(map(len, words.split())) < LEAST_LETTERS:
        return UNKNOWN, 0.0
    ranked = _identifier().rank(words.encode("utf-8", "ignore").decode("utf-8"))
    group = sum(float(p) for tag, p in ranked if tag in HBS)
    best, p = next(((tag, float(p)) for tag, p in ranked if tag not in HBS), (UNKNOWN, 0.0))
    if group >= p:
        best, p = ("sr" if _CYRILLIC.search(words) else "hr"), group
    return best, min(p, 1.0)


_lock = threading.Lock()
_loaded: list[LanguageIdentifier] = []


def _identifier() -> LanguageIdentifier:
    """Ours alone: the library's own is a global that any caller may restrict."""
    if not _loaded:
        with _lock:
            if not _loaded:
                identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
                identifier.set_languages(SERVED)
                _loaded.append(identifier)
    return _loaded[0]
