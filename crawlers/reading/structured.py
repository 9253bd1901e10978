"""What a page says of itself by schema.org, in any of its three syntaxes, in one form.

A *thing* is ``{"@type": ["Review"], "@id": "…", "reviewBody": ["…"], "author": [thing]}``: names
without their vocabulary, and every property a list. References by ``@id`` are followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crawlers.errors import DriftError
from crawlers.reading import marked_up
from crawlers.reading.embedded import json_ld_blocks
from crawlers.reading.json_body import Json

Thing = Mapping[str, Any]

_MOST_THINGS = 30_000
_DEEPEST = 40
_VOCABULARY = re.compile(r"^(?:https?://(?:www\.)?schema\.org/|schema:)")
_BLANK = ("_:", marked_up.NAMELESS)  # ids that a reader made up; they say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The things of one syntax, in the order of the page."""

    syntax: str
    things: tuple[Thing, ...]
    losses: tuple[str, ...] = ()  #: in words, what could not be read
    cut: str = ""  #: in words, that there is more than what was read
    _by_id: Mapping[str, Thing] = field(default_factory=dict)

    def followed(self, value: Any) -> Any:
        """The thing that a reference means; everything else as it is."""
        if isinstance(value, Mapping) and not value.keys() - {"@id", "@type"}:
            return self._by_id.get(value.get("@id", ""), value)
        return value


def described(page: str, *, url: str) -> list[Described]:
    """What a page says in JSON-LD, in microdata and in RDFa; ``url`` completes links."""
    blocks = list(json_ld_blocks(page))
    losses = [str(block) for block in blocks if isinstance(block, DriftError)]
    found = [_described("json-ld", [b for b in blocks if not isinstance(b, DriftError)], losses)]
    for syntax, read in (("microdata", marked_up.microdata), ("rdfa", marked_up.rdfa)):
        try:
            found.append(_described(syntax, read(page, url=url), []))
        except DriftError as error:
            found.append(_described(syntax, [], [str(error)]))
    return [one for one in found if one.things or one.losses]


def _described(syntax: str, data: Json, losses: Sequence[str]) -> Described:
    reader = _Reader()
    things = tuple(one for one in reader.read(data, 0) if isinstance(one, Mapping))
    cut = f"{syntax} describes more than we read" if reader.is_full else ""
    lost = tuple(filter(None, (*losses, cut)))
    return Described(syntax=syntax, things=things, losses=lost, cut=cut, _by_id=reader.by_id)


class _Reader:
    """Brings one syntax into the common form, as far as it is neither too long nor too deep."""

    def __init__(self) -> None:
        self.by_id: dict[str, Thing] = {}
        self.is_full = False
        self._count = 0

    def read(self, value: Json, depth: int) -> list[Any]:
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST_THINGS:
            self.is_full = True
            return []
        if isinstance(value, list):
            return [one for item in value for one in self.read(item, depth + 1)]
        if not isinstance(value, Mapping):
            return [value] if isinstance(value, str | int | float) else []
        for wrapping in ("@value", "@list", "@set"):
            if wrapping in value:
                return self.read(value[wrapping], depth + 1)
        return self._thing(value, depth)

    def _thing(self, value: Mapping[str, Json], depth: int) -> list[Any]:
        inner = self.read(value.get("@graph", []), depth + 1)
        properties = {**value, **_properties(value)}
        thing: dict[str, Any] = {}
        for name, said in properties.items():
            if name not in _OURS and not name.startswith("@"):
                thing.setdefault(_bare(name), []).extend(self.read(said, depth + 1))
        types, name = value.get("@type", value.get("type")), value.get("@id", value.get("id"))
        thing["@type"] = [_bare(one) for one in _strings(types)]
        if isinstance(name, str) and not name.startswith(_BLANK):
            thing["@id"] = name
        if isinstance(name, str) and thing.keys() - {"@id", "@type"}:
            self.by_id.setdefault(name, thing)
        elif isinstance(name, str):
            thing["@id"] = name  # a reference, for whose sake even a made-up id is kept
        return [thing, *inner] if len(thing) > 1 or thing["@type"] else inner


# Microdata comes as {"type": …, "id": …, "properties": {…}}, or {"value": …} without properties.
_OURS = frozenset({"properties", "type", "id"})


def _properties(value: Mapping[str, Json]) -> Mapping[str, Json]:
    found = value.get("properties")
    return found if isinstance(found, Mapping) else {}


def _bare(name: str) -> str:
    return _VOCABULARY.sub("", name.strip(), count=1)


def _strings(value: Json) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def walk(things: Sequence[Thing]) -> Iterator[tuple[Thing, Thing | None, str]]:
    """Every thing with the one that it belongs to, and as what; in the order of the page."""
    for thing in things:
        yield thing, None, ""
        yield from _within(thing)


def _within(thing: Thing) -> Iterator[tuple[Thing, Thing | None, str]]:
    for name, values in thing.items():
        for value in values if isinstance(values, list) else ():
            if isinstance(value, Mapping):
                yield value, thing, name
                yield from _within(value)
