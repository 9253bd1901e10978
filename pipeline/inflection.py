"""Case endings of Polish, Lithuanian and Croatian that a name may take.

"Orlen" is also read in "Orlenu" and "Orlenem", "Maxima" in "Maximos" and "Maximoje". Only the
last word of a name is bent, only by an ending listed here that ends the word, and only where the
name is long enough that the result is hardly another word. Changes inside the stem (Żabka →
Żabce) and bent first words (Banku Polskiego) are given as aliases.
"""

from __future__ import annotations

_SHORTEST = 5
#: "Domino" must not be read in "domina": names in -o bend only when they are longer than that.
_SHORTEST_IN_O = 7
_VOWELS = frozenset("aeiouy")

# All endings are folded as texts are: ą→a, ę→e, ų→u.
_AFTER_CONSONANT = frozenset(
    {""}
    | {"a", "u", "owi", "em", "iem", "ie", "y", "i", "ow", "om", "ami", "ach"}  # Polish
    | {"as", "o", "ui", "e", "ai", "ams", "ais"}  # Lithuanian
    | {"ima", "ovi", "ov", "ova", "ove", "ovog", "ovom"}  # Croatian, with possessives
)
_INSTEAD_OF_A = frozenset(
    {"a"}
    | {"y", "i", "e", "o", "ie"}  # Polish
    | {"os", "ai", "oje", "oms"}  # Lithuanian
    | {"u", "om", "in", "ina", "ine"}  # Croatian, with possessives
)
_INSTEAD_OF_O = frozenset({"o"} | {"a", "u", "om", "em", "ov", "ova", "ove"})  # Croatian
_NONE = frozenset({""})


def bendable(name: str) -> tuple[str, frozenset[str]]:
    """Split a folded name into what must stand and the endings that may follow it."""
    word = name.rsplit(maxsplit=1)[-1] if name.strip() else ""
    last = word[-1:]
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return name, _NONE
    if last not in _VOWELS:
        return name, _AFTER_CONSONANT
    if last == "a" and word[-2] not in _VOWELS:
        return name[:-1], _INSTEAD_OF_A
    if last == "o" and len(word) >= _SHORTEST_IN_O:
        return name[:-1], _INSTEAD_OF_O
    return name, _NONE
