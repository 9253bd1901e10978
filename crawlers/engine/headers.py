"""Headers of an answer as plain words."""

from __future__ import annotations

from scrapy.http import Response


def plain_headers(response: Response) -> dict[str, str]:
    """Names in lower case; a header that comes twice is joined by a comma."""
    return {
        name.decode("latin-1").lower(): b", ".join(response.headers.getlist(name)).decode("latin-1")
        for name in response.headers
    }
