"""Which character counts as which: one code point in, at most one code point out.

Versioned with the model and deliberately not shared with search: changing a line here changes
every score. One-to-one mapping is what lets a score be traced back to characters of the text.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt

DROP: Final = 0  #: vanishes: marks, zero-width, controls, surrogates
SPACE: Final = 32  #: separates words; also every letter of a script that the model never saw
TABLE_SIZE: Final = 0x20000  #: planes 0 and 1; nothing above carries words or emoji

# Not decomposed by Unicode, or with an expansion of two letters.
_SPECIAL: Final = {
    "ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ı": "i", "ß": "s", "æ": "e", "œ": "e",
    "þ": "t", "ŋ": "n", "ĸ": "k", "ŧ": "t", "€": "$", "£": "$", "¥": "$", "₴": "$", "₽": "$",
}  # fmt: skip
# Serbian in Cyrillic then shares its n-grams with Croatian and Serbian in Latin.
_CYRILLIC: Final = dict(
    zip("абвгдђежзијклљмнњопрстћуфхцчџшщъыьэюяёіїєґѓќѕ",
        "abvgddezzijkllmnnoprstcufhccdsstijeujeiiegdcz", strict=True)
)  # fmt: skip
_GREEK: Final = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", "avgdeziqiklmnxoprsstufhyo", strict=True))
_SYMBOLS: Final = frozenset("!?$%")


@functools.cache
def fold_table() -> npt.NDArray[np.uint32]:
    """Code point → folded code point (``DROP``, ``SPACE``, letter, ``0`` for digits, symbol)."""
    table = np.full(TABLE_SIZE, SPACE, dtype=np.uint32)
    for start, stop in ((0, 0x10000), (0x1D400, 0x1D800), (0x1F000, 0x1FB00)):
        table[start:stop] = [_fold(chr(code)) for code in range(start, stop)]
    table.flags.writeable = False
    return table


def is_symbol(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Emoji and the few signs that count as words of their own."""
    marks = np.isin(codes, [ord(sign) for sign in _SYMBOLS])
    return marks | ((codes >= 0x2600) & (codes < 0x27C0)) | (codes >= 0x1F000)


def _fold(char: str) -> int:
    kind = unicodedata.category(char)
    if char in "'’ʼ`´" or kind in {"Mn", "Me", "Cf", "Cs", "Co"}:
        return DROP
    if kind == "Cc":
        return SPACE if char.isspace() else DROP
    if kind == "Cn":
        return SPACE
    base = unicodedata.normalize("NFKD", char)[0].casefold()[0]
    base = unicodedata.normalize("NFKD", base)[0]
    base = _SPECIAL.get(base) or _CYRILLIC.get(base) or _GREEK.get(base) or base
    if "a" <= base <= "z" or base in _SYMBOLS:
        return ord(base)
    if base.isdigit():
        return ord("0")
    is_emoji = 0x2600 <= ord(char) < 0x27C0 or ord(char) >= 0x1F000
    return ord(char) if kind in {"So", "Sk"} and is_emoji else SPACE
