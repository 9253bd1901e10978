"""Data that pages carry in script elements, found without building a tree of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from crawlers.errors import DriftError
from crawlers.reading.json_body import Json, parse_json

_SCRIPT = re.compile(r"<script\b(?P<attributes>[^<>]{0,2000})>", re.I)
_END = re.compile(r"</script", re.I)
_JSON_LD = re.compile(r"""type\s{0,3}=\s{0,3}["']?application/ld\+json""", re.I)


def script_json(page: str, *, element_id: str) -> Json | None:
    """The JSON in the script with that id; None when there is no such script."""
    wanted = re.compile(rf"""\bid\s{{0,3}}=\s{{0,3}}["']?{re.escape(element_id)}(?![\w-])""", re.I)
    for body in _scripts(page, wanted):
        return parse_json(body, what=f"the embedded state ({element_id})")
    return None


def json_ld(page: str) -> Iterator[Mapping[str, Json]]:
    """All objects that a page describes in JSON-LD, those of graphs included; broken ones not."""
    for body in _scripts(page, _JSON_LD):
        try:
            data = parse_json(body, what="JSON-LD")
        except DriftError:
            continue
        yield from _things(data)


def _things(data: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(data, list):
        for item in data:
            yield from _things(item)
    elif isinstance(data, Mapping):
        yield data
        graph = data.get("@graph")
        if isinstance(graph, list):
            yield from (thing for thing in graph if isinstance(thing, Mapping))


def _scripts(page: str, wanted: re.Pattern[str]) -> Iterator[str]:
    position = 0
    while opening := _SCRIPT.search(page, position):
        end = _END.search(page, opening.end())
        position = end.end() if end else len(page)
        if wanted.search(opening["attributes"]):
            yield page[opening.end() : end.start() if end else len(page)]
