"""Addresses with places for params: ``{base_url}/reviews/{firm}?page={page}``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from urllib.parse import quote

#: What a param may hold as it is; the rest is escaped. No ``?``, ``#`` or ``%``.
_PLAIN = "/,;:=@!$'()*+~"


def check_template(
    template: str, *, known: Collection[str], hosts: Collection[str], called: str
) -> set[str]:
    """The names in a template; ``ValueError`` for a wrong one, or where it names its own host."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{called}: {error}") from None
    names = {name for _, name, _, _ in parts if name is not None}
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise ValueError(f"{called}: a place is written as {{name}} and no more")
    if unknown := sorted(names - {*known}):
        raise ValueError(f"{called}: {{{unknown[0]}}} is no param; known: {', '.join(known)}")
    _check_host(template, hosts=hosts, called=called)
    return names


def _check_host(template: str, *, hosts: Collection[str], called: str) -> None:
    """The host comes whole from one place, and nothing that follows can change it."""
    host, brace, rest = template[1:].partition("}")
    begins = template.startswith("{") and brace and host in hosts
    if not begins or (rest and rest[0] not in "/?#"):
        raise ValueError(
            f"{called}: it must begin with {{base_url}} (or a param of the type address), "
            "followed by /, ? or #"
        )


def filled(template: str, values: Mapping[str, object]) -> str:
    """The address; the one that it begins with as it is, all other values escaped."""
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            value = str(values[name])
            is_host = not parts[0] and len(parts) == 1
            parts.append(_host(value, template) if is_host else quote(value, safe=_PLAIN))
    return "".join(parts)


def _host(address: str, template: str) -> str:
    is_followed = template.partition("}")[2][:1] == "/"
    return address.rstrip("/") if is_followed else address
