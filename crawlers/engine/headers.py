"""Headers as plain words."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response


def plain_headers(response: Response) -> dict[str, str]:
    """Names in lower case; a header that comes twice is joined by a comma."""
    return {
        name.decode("latin-1").lower(): b", ".join(response.headers.getlist(name)).decode("latin-1")
        for name in response.headers
    }


def handshake_headers(request: Request) -> dict[str, str]:
    """What is sent with the opening of a stream; nothing of it may come compressed."""
    return {
        name.decode("latin-1"): b", ".join(request.headers.getlist(name)).decode("latin-1")
        for name in request.headers
        if name.lower() != b"accept-encoding"
    }
