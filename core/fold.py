"""One folding of text for the matcher, the queries and the full-text index.

"obsluga" finds "obsługa" and "STRASSE" finds "Straße", in every language, without ICU.
"""

from __future__ import annotations

import unicodedata

# Letters that carry their mark inside, so that decomposition leaves them alone.
_BARE = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def fold(text: str) -> str:
    """Return ``text`` as it is compared: NFKC, casefolded, without marks and invisible signs."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_BARE)
    decomposed = unicodedata.normalize("NFKD", plain)
    kept = (sign for sign in decomposed if unicodedata.category(sign) not in ("Mn", "Me", "Cf"))
    return unicodedata.normalize("NFC", "".join(kept)).translate(_BARE)
