"""A text as the encoder is to read it, each character of which knows where it came from.

Only what hides or floods words is changed: invisible signs, stacked marks, letters of another
alphabet that look like ours, markup, addresses. What people write stays as they wrote it.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt

from sentiment.judge import Span

#: Of a longer text so much is looked at …
SEEN_HEAD: Final = 200_000
SEEN_TAIL: Final = 100_000
#: … and of what is then left so much is kept: many times what the encoder can read.
HEAD_CHARS: Final = 8_000
TAIL_CHARS: Final = 4_000
MOST_REPEATS: Final = 8  #: "!!!!!!!!" says it; digits are never cut
MOST_MARKS: Final = 2  #: on one letter; Vietnamese has two, Zalgo dozens
MOST_TRAIL: Final = 64  #: hidden signs and marks that a span takes along behind its last letter
MOST_ESCAPES: Final = 4  #: times that markup may be escaped, one time in the other

ADDRESS: Final = "http"  #: what stands for a link, as in the sets that the encoder learned from
PERSON: Final = "@user"

_KEEP, _DROP, _SPACE, _BREAK, _MARK = range(5)
_TABLE_SIZE: Final = 0x20000
_NEWLINE: Final = 10
_BLANK: Final = 32
# Letters and symbols by their category, invisible or empty by their look.
_HIDDEN: Final = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5, 0x034F, *range(0x334, 0x339)}
_EMPTY: Final = {0x2800, 0x2581, 0xFFFD}
_NEWLINES: Final = {0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029}

_MARKUP: Final = re.compile(
    r"(?P<link>(?:https?://|www\.)[^\s<>\"]{1,2000})"
    r"|(?P<person>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|(?<!\w)@\w{1,64})"
    r"|(?P<tag><!--.{0,2000}?-->|</?[a-zA-Z][^<>]{0,500}>)"
    r"|(?P<entity>&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,10});)"
    r"|(?P<data>[A-Za-z0-9+/=_-]{40,})",
    flags=re.DOTALL,
)
_SIGNS: Final = re.compile(r"https?://|www\.|[@<&]|[A-Za-z0-9+/=_-]{40}")
#: Names of the encoder's own pieces, and the signs that become "<" when a tokenizer composes.
_NAMES: Final = re.compile(r"</?(?:s|pad|unk)>")
_ANGLES: Final = re.compile("[<\ufe64\uff1c]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_ALIEN: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_TWINS: Final = dict(
    zip("асеорхуіјѕһԁԛԝАВЕКМНОРСТХУІЈЅԌԚԜοαιυνρκτχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aceopxyijshdqwABEKMHOPCTXYIJSGQWoaiuvpktxABEZHIKMNOPTYX", strict=True)
)  # fmt: skip
_TWINS_OF_LATIN: Final = {
    latin: alien for alien, latin in reversed(_TWINS.items()) if "\u0400" <= alien <= "\u052f"
}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``text[i]`` stands for characters ``starts[i]`` to ``ends[i]`` of the text as given."""

    text: str
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]

    def span(self, start: int, end: int, given: str) -> Span:
        """Where ``text[start:end]``, not empty, lies in the text as given, with its last marks."""
        last = int(self.ends[end - 1])
        most = min(last + MOST_TRAIL, len(given))
        table = _kinds()
        while last < most and table[_index(given[last])] in (_DROP, _MARK):
            last += 1
        return Span(start=int(self.starts[start]), end=last)


def clean(given: str) -> Cleaned:
    """Read ``given``, however broken; time and memory are bounded whatever its length."""
    text, places = _window(given)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes, places = _visible(codes, places)
    stays = _tidy(codes)
    codes, places = codes[stays], places[stays]
    if len(codes) > HEAD_CHARS + TAIL_CHARS:
        codes = np.concatenate([codes[: HEAD_CHARS - 1], [_BLANK], codes[-TAIL_CHARS:]])
        places = np.concatenate([places[:HEAD_CHARS], places[-TAIL_CHARS:]])
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    cleaned = Cleaned(text, places, (places + 1).astype(np.int32))
    for _ in range(MOST_ESCAPES):
        before = cleaned.text
        cleaned = _without_markup(_one_alphabet(cleaned))
        if "&" not in before or cleaned.text == before:
            break
    return _without_names(cleaned)


def _window(given: str) -> tuple[str, npt.NDArray[np.int32]]:
    if len(given) <= SEEN_HEAD + SEEN_TAIL:
        return given, np.arange(len(given), dtype=np.int32)
    places = np.arange(SEEN_HEAD + SEEN_TAIL, dtype=np.int32)
    places[SEEN_HEAD:] += len(given) - len(places)
    return given[:SEEN_HEAD] + given[-SEEN_TAIL:], places


Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int32]


def _visible(codes: Codes, places: Places) -> tuple[Codes, Places]:
    """Without invisible signs, controls, lone surrogates and stacks of marks; one sort of space."""
    kinds = _kinds()[np.minimum(codes, _TABLE_SIZE - 1)]
    kinds[codes >= 0xE0000] = _DROP
    stays = kinds != _DROP
    codes, places, kinds = codes[stays], places[stays], kinds[stays]
    is_mark = kinds == _MARK
    if is_mark.any():
        stays = ~(is_mark & (_run_lengths(is_mark) > MOST_MARKS))
        codes, places, kinds = codes[stays], places[stays], kinds[stays]
    codes = np.where(kinds == _SPACE, _BLANK, codes)
    return np.where(kinds == _BREAK, _NEWLINE, codes), places


def _tidy(codes: Codes) -> npt.NDArray[np.bool_]:
    """What stays: one space of several, none at the ends, and only so many repeats of a sign."""
    is_break = codes == _NEWLINE
    is_space = is_break | (codes == _BLANK)
    at = np.arange(len(codes))
    place_in_run = at - np.maximum.accumulate(np.where(_repeats(codes), 0, at))
    is_digit = (codes >= ord("0")) & (codes <= ord("9"))
    stays = is_digit | (place_in_run < MOST_REPEATS)
    # Of a run of spaces its last one stays, or its last line's end.
    if is_space.any():
        edges = np.flatnonzero(np.diff(is_space.astype(np.int8), prepend=0, append=0))
        starts, stops = edges[::2], edges[1::2]
        last_break = np.maximum.accumulate(np.where(is_break, at, -1))[stops - 1]
        chosen = np.where(last_break >= starts, last_break, stops - 1)
        stays &= ~is_space
        stays[chosen[(starts > 0) & (stops < len(codes))]] = True
    return stays


def _repeats(codes: Codes) -> npt.NDArray[np.bool_]:
    same = np.zeros(len(codes), dtype=np.bool_)
    same[1:] = codes[1:] == codes[:-1]
    return same


def _run_lengths(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each true flag, how many true ones stand together there."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    lengths = np.zeros(len(flags), dtype=np.int64)
    starts, stops = edges[::2], edges[1::2]
    lengths[flags] = np.repeat(stops - starts, stops - starts)
    return lengths


def _one_alphabet(cleaned: Cleaned) -> Cleaned:
    """Give words of two alphabets the one in which all their letters exist."""
    text = cleaned.text
    if text.isascii() or not (_ALIEN.search(text) and _LATIN.search(text)):
        return cleaned
    is_latin = len(_LATIN.findall(text)) > 3 * len(_ALIEN.findall(text))

    def one(found: re.Match[str]) -> str:
        word = found.group()
        aliens = _ALIEN.findall(word)
        if not aliens:
            return word
        if _LATIN.search(word) or is_latin:
            if all(alien in _TWINS for alien in aliens):
                return "".join(_TWINS.get(letter, letter) for letter in word)
            return "".join(_TWINS_OF_LATIN.get(letter, letter) for letter in word)
        return word

    return Cleaned(_WORD.sub(one, text), cleaned.starts, cleaned.ends)


def _without_markup(cleaned: Cleaned) -> Cleaned:
    """Links and people by a word that stands for any of them; tags, data and entities resolved."""
    if not _SIGNS.search(cleaned.text):
        return cleaned
    parts, starts, ends = [], [], []
    for part, start, end in _pieces(cleaned.text):
        parts.append(part)
        if len(part) == end - start and part == cleaned.text[start:end]:
            starts.append(cleaned.starts[start:end])
            ends.append(cleaned.ends[start:end])
        else:
            starts.append(np.full(len(part), cleaned.starts[start], dtype=np.int32))
            ends.append(np.full(len(part), cleaned.ends[end - 1], dtype=np.int32))
    text = "".join(parts)
    stays = _tidy(np.frombuffer(text.encode("utf-32-le"), dtype="<u4"))
    return Cleaned(
        "".join(compress(text, stays.tolist())),
        np.concatenate(starts)[stays],
        np.concatenate(ends)[stays],
    )


def _without_names(cleaned: Cleaned) -> Cleaned:
    """No text may write the pieces that only the encoder writes, however it spells them."""
    text = cleaned.text
    if not (_ANGLES.search(text) and _NAMES.search(unicodedata.normalize("NFKC", text))):
        return cleaned
    return Cleaned(_ANGLES.sub("(", text), cleaned.starts, cleaned.ends)


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """What stands for ``text[start:end]``, from the start of the text to its end."""
    at = 0
    for found in _MARKUP.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], at, found.start()
        yield _stand_in(found), found.start(), found.end()
        at = found.end()
    if at < len(text) or not text:
        yield text[at:], at, len(text)


def _stand_in(found: re.Match[str]) -> str:
    part = found.group()
    match found.lastgroup:
        case "link":
            return ADDRESS
        case "person":
            return PERSON
        case "entity":
            meant = html.unescape(part)
            is_letter = len(meant) == 1 and _kinds()[_index(meant)] == _KEEP
            return meant if is_letter and meant.isprintable() else " "
        case "data" if not _is_data(part):
            return part
    return " "


def _is_data(part: str) -> bool:
    """Base64 and its like: capitals, small letters and digits in one, or longer than any word."""
    mixed = any(map(str.isupper, part)) and any(map(str.islower, part))
    return (mixed and any(map(str.isdigit, part))) or len(part) > 200


def _index(char: str) -> int:
    return min(ord(char), _TABLE_SIZE - 1)


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    """What to do with each code point of the first two planes; the rest is kept."""
    table = np.fromiter(map(_kind, range(_TABLE_SIZE)), dtype=np.uint8, count=_TABLE_SIZE)
    table[_TABLE_SIZE - 1] = _KEEP
    table.flags.writeable = False
    return table


def _kind(code: int) -> int:
    char = chr(code)
    category = unicodedata.category(char)
    if code in _NEWLINES:
        return _BREAK
    if code in _EMPTY or char.isspace():
        return _SPACE
    if code in _HIDDEN or category in {"Cc", "Cf", "Cs", "Co", "Me"}:
        return _DROP
    if category == "Cn":
        return _SPACE
    return _MARK if category == "Mn" else _KEEP
