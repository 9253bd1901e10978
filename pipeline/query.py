"""A brand's query: AND OR NOT, "phrases", NEAR written "a b"~5, and prefix* at a word's end.

The text of a user is parsed into a small tree and never becomes a regular expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from luqum import thread, tree
from luqum.exceptions import ParseError

from core.fold import fold
from pipeline.errors import QueryError

LONGEST = 2_000
DEEPEST = 20
MOST_WORDS = 200
_SHORTEST_PREFIX = 3
_FARTHEST = 50
_OPERATORS = frozenset({"and", "or", "not", "near"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A word or phrase as it stands in folded text with single spaces."""

    key: str
    is_prefix: bool = False  #: any ending of the last word will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """All words with at most ``distance`` other words between them, in any order."""

    words: tuple[Literal, ...]
    distance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """The part does not hold."""

    part: Expression


Expression = Literal | Near | AllOf | AnyOf | Negation


def check_query(query: str) -> None:
    """Raise ``QueryError`` with the position and the reason when a query cannot be read."""
    read_query(query)


def read_query(query: str) -> Expression:
    """Parse a query; ``QueryError`` says what is wrong and where."""
    _refuse_by_sight(query)
    try:
        parsed = thread.parse(query)
        expression = _Reader(query).read(parsed, depth=0)
    except RecursionError:
        raise QueryError("the query is nested too deeply", position=0) from None
    except ParseError as error:
        raise _explained(error, query) from None
    if len(list(literals(expression))) > MOST_WORDS:
        raise QueryError(f"more than {MOST_WORDS} words", position=0)
    if _holds_for_nothing(expression):
        raise QueryError("the query would match every text; name a word to look for", position=0)
    return expression


def literals(expression: Expression) -> Iterator[Literal]:
    """Every word and phrase of a query."""
    match expression:
        case Literal():
            yield expression
        case Near(words=words):
            yield from words
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from literals(part)
        case Negation(part=part):
            yield from literals(part)


def _refuse_by_sight(query: str) -> None:
    """Before parsing: the parser itself fails on depth, and says little about quotes."""
    if len(query) > LONGEST:
        raise QueryError(f"longer than {LONGEST} characters", position=LONGEST)
    if not query.strip():
        raise QueryError("the query is empty", position=0)
    depth, opened, is_escaped = 0, -1, False
    for position, sign in enumerate(query):
        if is_escaped:
            is_escaped = False
        elif sign == "\\":
            is_escaped = True
        elif sign == '"':
            opened = position if opened < 0 else -1
        elif opened < 0 and sign in "()":
            depth += 1 if sign == "(" else -1
            if depth > DEEPEST:
                raise QueryError(f"more than {DEEPEST} nested parentheses", position=position)
            if depth < 0:
                raise QueryError("this parenthesis was never opened", position=position)
    if opened >= 0:
        raise QueryError("this quotation mark is never closed", position=opened)
    if depth:
        raise QueryError("a parenthesis is never closed", position=query.rindex("("))


def _explained(error: ParseError, query: str) -> QueryError:
    # Messages seen: "Syntax error in input : unexpected  'AND' at position 0!", "… at the end!"
    message = str(error).rstrip("!")
    _, found, tail = message.rpartition("at position ")
    position = int(tail) if found and tail.isdigit() else len(query)
    if position >= len(query):
        return QueryError("something is missing at the end", position=len(query))
    word = query[position:].split(maxsplit=1)[0][:30]
    return QueryError(f"{word!r} is not expected here", position=position)


class _Reader:
    """Turns luqum's tree into ours, refusing what the language does not have."""

    def __init__(self, query: str) -> None:
        self._query = query

    def read(self, node: Any, *, depth: int) -> Expression:
        if depth > 3 * DEEPEST:
            raise QueryError("the query is nested too deeply", position=_position(node))
        below = depth + 1
        match node:
            case tree.Group() | tree.Plus():
                return self.read(node.children[0], depth=below)
            case tree.AndOperation() | tree.UnknownOperation():
                return AllOf(parts=tuple(self.read(one, depth=below) for one in node.children))
            case tree.OrOperation():
                return AnyOf(parts=tuple(self.read(one, depth=below) for one in node.children))
            case tree.Not() | tree.Prohibit():
                return Negation(part=self.read(node.children[0], depth=below))
            case tree.Proximity():
                return self._near(node)
            case tree.Phrase():
                return self._literal(node, node.value[1:-1])
            case tree.Regex():
                raise QueryError("regular expressions are not read", position=_position(node))
            case tree.Word():
                return self._word(node)
        raise QueryError(_UNKNOWN.get(type(node), "this is not read"), position=_position(node))

    def _word(self, node: Any) -> Literal:
        if node.value.casefold() in _OPERATORS:
            raise QueryError(
                f"write {node.value.upper()} in capitals, or in quotation marks as a word",
                position=_position(node),
            )
        if node.value.startswith("!"):
            raise QueryError("write NOT instead of '!'", position=_position(node))
        return self._literal(node, node.value)

    def _near(self, node: Any) -> Expression:
        distance = int(node.degree)
        if not 0 <= distance <= _FARTHEST:
            raise QueryError(f"a distance is at most {_FARTHEST}", position=_position(node))
        words = tuple(self._literal(node, word) for word in node.term.value[1:-1].split())
        if len(words) < 2:
            raise QueryError("a distance needs two words", position=_position(node))
        return Near(words=words, distance=distance)

    def _literal(self, node: Any, written: str) -> Literal:
        is_prefix = written.endswith("*") and not written.endswith("\\*")
        stem = written[:-1] if is_prefix else written
        self._refuse_wildcards(node, stem)
        key = " ".join(fold(_unescaped(stem)).split())
        if not any(sign.isalnum() for sign in key):
            raise QueryError(f"{written[:30]!r} holds no letter or digit", position=_position(node))
        if is_prefix and len(key) < _SHORTEST_PREFIX:
            raise QueryError(f"a prefix needs {_SHORTEST_PREFIX} letters", position=_position(node))
        return Literal(key=key, is_prefix=is_prefix)

    def _refuse_wildcards(self, node: Any, stem: str) -> None:
        is_escaped = False
        for offset, sign in enumerate(stem):
            if sign in "*?" and not is_escaped:
                raise QueryError(
                    f"{sign!r} stands only at the end of a word, as '*'",
                    position=_position(node) + offset,
                )
            is_escaped = sign == "\\" and not is_escaped


_UNKNOWN: dict[type, str] = {
    tree.SearchField: "fields are not read; put a word with ':' in quotation marks",
    tree.Range: "ranges are not read",
    tree.From: "comparisons are not read",
    tree.To: "comparisons are not read",
    tree.Fuzzy: "fuzzy words are not read; a distance stands after a phrase",
    tree.Boost: "weights are not read",
}


def _unescaped(written: str) -> str:
    kept: list[str] = []
    is_escaped = False
    for sign in written:
        if sign == "\\" and not is_escaped:
            is_escaped = True
            continue
        kept.append(sign)
        is_escaped = False
    return "".join(kept)


def _position(node: Any) -> int:
    return int(getattr(node, "pos", None) or 0)


def _holds_for_nothing(expression: Expression) -> bool:
    match expression:
        case AllOf(parts=parts):
            return all(_holds_for_nothing(part) for part in parts)
        case AnyOf(parts=parts):
            return any(_holds_for_nothing(part) for part in parts)
        case Negation(part=part):
            return not _holds_for_nothing(part)
    return False
