"""One folding of text for the matcher, the queries and the full-text index.

"obsluga" finds "obsługa" and "STRASSE" finds "Straße", in every language, without ICU.
"""

from __future__ import annotations

import unicodedata

# Letters that carry their mark inside, so that decomposition leaves them alone.
_BARE = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_DROPPED = frozenset({"Mn", "Me", "Cf"})


def fold(text: str) -> str:
    """Return ``text`` as it is compared: NFKC, casefolded, without marks and invisible signs."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_BARE)
    decomposed = unicodedata.normalize("NFKD", plain)
    # Of each sign once: looking at every letter of a long text takes ten times as long.
    dropped = {ord(s): None for s in set(decomposed) if unicodedata.category(s) in _DROPPED}
    return unicodedata.normalize("NFC", decomposed.translate(dropped)).translate(_BARE)
