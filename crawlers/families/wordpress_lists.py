"""Lists of WordPress' REST API: how many items and pages there are stands in headers."""

from __future__ import annotations

from crawlers.contract import Fetched
from crawlers.reading.web_address import page_number

PER_PAGE = 100  #: the API's limit


def total_of(fetched: Fetched) -> int | None:
    """How many items there are on all pages; None where the header is lost on the way."""
    return _header(fetched, "x-wp-total")


def next_number(fetched: Fetched, *, listed: int) -> int | None:
    """The number of the page that follows; without the header there is one behind a full page."""
    number, pages = page_number(fetched.url, default=1), _header(fetched, "x-wp-totalpages")
    goes_on = listed >= PER_PAGE if pages is None else number < pages
    return number + 1 if goes_on else None


def _header(fetched: Fetched, name: str) -> int | None:
    said = fetched.headers.get(name, "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None
