"""Credentials that are for one host, which a source does not choose."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawlers.contract import Request
from crawlers.errors import AuthError


def check_is_for(request: Request, address: str, *, what: str) -> None:
    """``AuthError`` unless a request goes to the address that a credential belongs to."""
    mine, asked = urlsplit(address.strip()), urlsplit(request.url)
    if (asked.scheme, asked.netloc.lower()) != (mine.scheme, mine.netloc.lower()):
        belongs = mine.netloc or address.strip()
        raise AuthError(f"{what} is for {belongs[:80]}, not {asked.netloc[:80]}")
