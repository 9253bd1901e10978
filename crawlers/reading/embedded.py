"""Data that pages carry in script elements, found without building a tree of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from json import JSONDecoder

from crawlers.errors import DriftError
from crawlers.reading.json_body import Json, parse_json
from crawlers.reading.loose_json import parse_loosely

_SCRIPT = re.compile(r"<script\b(?P<attributes>[^<>]{0,2000})>", re.I)
_END = re.compile(r"</script", re.I)
_JSON_LD = re.compile(r"""type\s{0,3}=\s{0,3}["']?application/ld\+json""", re.I)


def script_json(page: str, *, element_id: str) -> Json | None:
    """The JSON in the script with that id; None when there is no such script."""
    wanted = re.compile(rf"""\bid\s{{0,3}}=\s{{0,3}}["']?{re.escape(element_id)}(?![\w-])""", re.I)
    for body in _scripts(page, wanted):
        return parse_json(body, what=f"the embedded state ({element_id})")
    return None


def assigned_json(page: str, *, name: str) -> Json | None:
    """The JSON that a script of the page assigns to that name; None when none does."""
    found = re.search(rf"\b{re.escape(name)}\s{{0,9}}=\s{{0,9}}(?=[\[{{])", page)
    if found is None:
        return None
    end = _END.search(page, found.end())
    text = page[found.end() : end.start() if end else len(page)]
    return parse_json(_first_value(text), what=f"the embedded state ({name})")


def _first_value(text: str) -> str:
    """JSON at the start of a text, without the script that follows it."""
    try:
        return text[: JSONDecoder().raw_decode(text)[1]]
    except (ValueError, RecursionError):
        return text


def json_ld(page: str) -> Iterator[Mapping[str, Json]]:
    """All objects that a page describes in JSON-LD, those of graphs included; broken ones not."""
    for body in _scripts(page, _JSON_LD):
        try:
            data = parse_loosely(body, what="JSON-LD")
        except DriftError:
            continue
        yield from _things(data)


def json_ld_blocks(page: str) -> Iterator[Json | DriftError]:
    """Each script of JSON-LD as it stands, or why it cannot be read."""
    for body in _scripts(page, _JSON_LD):
        try:
            yield parse_loosely(body, what="JSON-LD")
        except DriftError as error:
            yield error


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
