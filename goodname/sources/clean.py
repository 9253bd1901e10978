"""Take secrets and contacts out of an answer before it is written to a file that people share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from core.public_address import is_secret_name
from crawlers.contract import Fetched
from crawlers.credentials import written_ways
from crawlers.reading.contacts import without_contacts

REMOVED: Final = "removed"
_SECRET_HEADERS: Final = re.compile(
    r"cookie|authorization|authenticate|token|secret|session|api-?key|csrf|xsrf", re.I
)
_IN_BODY: Final = re.compile(
    rb"""((?:access_token|client_secret|refresh_token|api_?key|appsecret_proof)"""
    rb"""(?:=|%3D|"\s{0,3}:\s{0,3}"))[^&"'\s<>\\]{6,}""",
    re.I,
)
#: Keys of browsers that sites print into their pages.
_KNOWN_KEYS: Final = re.compile(rb"AIza[0-9A-Za-z_-]{30,40}|EAA[A-Za-z]{1,3}[0-9A-Za-z]{20,400}")


def cleaned(fetched: Fetched, secrets: Sequence[str], *, is_of_api: bool = False) -> Fetched:
    """The answer without secrets in address, headers and body; an API's, as evidence is kept.

    APIs tell how to reach who wrote: in the fields of their JSON that is left out, too.
    """
    body = _clean_body(fetched.body, secrets)
    return replace(
        fetched,
        url=clean_url(fetched.url, secrets),
        headers=clean_headers(fetched.headers, secrets),
        # Latin-1 gives back each byte that it was given, whatever the charset is.
        body=without_contacts(body.decode("latin-1")).encode("latin-1") if is_of_api else body,
    )


def clean_url(url: str, secrets: Sequence[str]) -> str:
    """Values of telling params become a word; what was a credential does wherever it stands."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(is_secret_name(name) for name, _ in pairs):
        kept = [(key, REMOVED if is_secret_name(key) else value) for key, value in pairs]
        parts = parts._replace(query=urlencode(kept))
    return _without(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), secrets)


def clean_params(params: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """The params of a source, with its addresses as ``clean_url`` leaves them."""
    return {
        name: clean_url(value, secrets) if _is_address(value) else value
        for name, value in params.items()
    }


def secrets_in(params: Mapping[str, Any]) -> list[str]:
    """What stands under telling names in the addresses of a source, e.g. of a private feed."""
    return [
        value
        for address in params.values()
        if _is_address(address)
        for name, value in parse_qsl(urlsplit(address).query)
        if is_secret_name(name)
    ]


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.lower().startswith(("http://", "https://"))


def clean_headers(headers: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Headers that carry no secret, by their names; of the others, without a credential."""
    return {
        name: _without(value, secrets)
        for name, value in headers.items()
        if not _SECRET_HEADERS.search(name)
    }


def _clean_body(body: bytes, secrets: Sequence[str]) -> bytes:
    for written in written_ways(secrets):
        body = body.replace(written.encode(), REMOVED.encode())
    body = _IN_BODY.sub(rb"\1" + REMOVED.encode(), body)
    return _KNOWN_KEYS.sub(REMOVED.encode(), body)


def _without(text: str, secrets: Sequence[str]) -> str:
    for written in written_ways(secrets):
        text = text.replace(written, REMOVED)
    return text
