"""An address that an operator may set for a source."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import AfterValidator, Field


def _checked(address: str) -> str:
    address = address.strip()
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with http:// or https:// and names a host")
    _ = parts.port  # raises ValueError when it is none
    if parts.username or parts.password:
        raise ValueError("an address must not hold a user name or a password")
    return urlunsplit(parts._replace(fragment=""))


#: An http(s) URL with a host, without credentials or fragment.
WebAddress = Annotated[
    str,
    # The pattern is for those who see only the JSON Schema, such as the API.
    Field(
        max_length=2000,
        json_schema_extra={"format": "uri", "pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[^/\s]"},
    ),
    AfterValidator(_checked),
]


def with_query(address: str, **values: object) -> str:
    """Set parameters of a URL's query and keep its others as they stand; None takes one away."""
    parts = urlsplit(address)
    pairs = [pair for pair in parts.query.split("&") if pair]
    kept = [pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in values]
    added = urlencode([(key, str(value)) for key, value in values.items() if value is not None])
    return urlunsplit(parts._replace(query="&".join(filter(None, [*kept, added]))))


def query_of(address: str) -> dict[str, str]:
    """The parameters of a URL's query; of a repeated one the last."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def page_number(address: str, *, default: int, key: str = "page") -> int:
    """The number of the page that a URL asks for; nonsense is the default."""
    value = query_of(address).get(key, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else default


def joined(base: str, link: str | None) -> str | None:
    """A link of a page as a whole http(s) URL; None for other schemes and for nonsense."""
    try:
        address = urljoin(base, (link or "").strip())
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if link and parts.scheme in ("http", "https") and parts.hostname else None
