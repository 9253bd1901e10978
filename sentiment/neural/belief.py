"""How far the encoder can be believed about a text, from what it could read of it at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sentiment.neural.clean import ADDRESS, PERSON, Cleaned
from sentiment.neural.tokens import UNKNOWN, Tokens

#: So many letters and more are a text; a single one says nothing.
ENOUGH_LETTERS: Final = 4
#: Share of the letters that the tokenizer knows: nothing is believed below, all above.
KNOWN: Final = (0.5, 0.9)
#: Letters a piece: random letters fall into pieces of one or two, words of a language do not.
PER_PIECE: Final = (1.3, 1.5)
#: Pieces below which letters a piece are left to chance.
FEW_PIECES: Final = 8
#: Emoji, figures and signs without a letter have a tone, but tell of no incident.
WORDLESS: Final = 0.7
#: With less belief no severity is given at all.
LEAST: Final = 0.5

_STAND_INS: Final = re.compile(rf"{re.escape(PERSON)}|(?<!\w){ADDRESS}(?!\w)")
_SIGN: Final = re.compile(r"[^\s\w.,;:…()\"'@#/\\_-]|\d")


@dataclass(frozen=True, slots=True)
class Belief:
    """Shares between 0, the prior alone, and 1, the encoder alone."""

    sentiment: float
    severity: float


def belief(cleaned: Cleaned, tokens: Tokens) -> Belief:
    """The weight of the encoder's opinion; ordinary texts in served languages get 1."""
    text = _STAND_INS.sub(" ", cleaned.text)
    letters = sum(map(str.isalpha, text))
    if not letters:
        return Belief(WORDLESS if _SIGN.search(text) else 0.0, 0.0)
    share = min(
        letters / ENOUGH_LETTERS, 1.0, _ramp(_known(cleaned, tokens), KNOWN),
        _ramp(_per_piece(cleaned, tokens), PER_PIECE),
    )  # fmt: skip
    return Belief(share, share)


def _known(cleaned: Cleaned, tokens: Tokens) -> float:
    """Share of the letters read that stand in known pieces."""
    if UNKNOWN not in tokens.ids:
        return 1.0
    known = unknown = 0
    for piece, (start, end) in zip(tokens.ids[1:-1], tokens.places, strict=True):
        letters = sum(map(str.isalpha, cleaned.text[start:end]))
        if piece == UNKNOWN:
            unknown += letters
        else:
            known += letters
    return known / max(known + unknown, 1)


def _per_piece(cleaned: Cleaned, tokens: Tokens) -> float:
    """Letters of a piece on average, pieces without letters left out."""
    counts = [sum(map(str.isalpha, cleaned.text[start:end])) for start, end in tokens.places]
    pieces = sum(count > 0 for count in counts)
    return sum(counts) / pieces if pieces >= FEW_PIECES else PER_PIECE[1]


def _ramp(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return min(max((value - low) / (high - low), 0.0), 1.0)
