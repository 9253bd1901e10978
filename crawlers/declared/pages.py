"""Which page comes after a page of a declared site."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from crawlers.contract import Fetched, Request
from crawlers.declared.pick import Item
from crawlers.declared.post import id_of
from crawlers.declared.site import Site
from crawlers.declared.template import filled
from crawlers.errors import DriftError
from crawlers.reading.numbers import whole_numbers
from crawlers.reading.web_address import joined, with_query


def page_request(site: Site, config: Any, number: int, *, before: str = "") -> Request:
    """Ask for a page by its place, counted from 1; ``before`` is what the last one began with."""
    values = config.model_dump()
    address = filled(site.url, values)
    if number <= 1:
        return Request(url=address)
    shown = site.next.first + (number - 1) * site.next.step
    if site.next.query:
        address = with_query(address, **{site.next.query: shown})
    else:
        address = filled(site.next.url, {**values, "page": shown})
    return Request(url=address, state={"page": number, **({"began": before} if before else {})})


def standing_on(fetched: Fetched) -> int:
    """The place of the page that was asked for, counted from 1."""
    page = fetched.state.get("page", 1)
    return page if isinstance(page, int) and page > 0 else 1


def following(
    site: Site, page: Item, items: Sequence[Item], fetched: Fetched, config: Any
) -> Request | DriftError | None:
    """The request for the next page, or why it cannot be asked for; None on the last."""
    number = standing_on(fetched)
    if site.next.by == "none" or number >= site.next.most:
        return None
    if site.next.by == "link":
        return _linked(site, page, fetched, config)
    held = _held(site, items)
    # Sites answer a number behind their last page by the last, or by the first. All posts are
    # compared: one may stand at the top of every page.
    if held == fetched.state.get("began"):
        return None
    return (
        page_request(site, config, number + 1, before=held)
        if _is_more(site, page, items, number)
        else None
    )


def _held(site: Site, items: Sequence[Item]) -> str:
    """A hash of the posts of a page."""
    ids = (id_of(item, site.fields.id, site=site) or "" for item in items)
    return hashlib.sha256("\x1f".join(ids).encode("utf-8", "replace")).hexdigest()[:16]


def _is_more(site: Site, page: Item, items: Sequence[Item], number: int) -> bool:
    if site.next.pages is not None:
        said = [value for found in page.values(site.next.pages) for value in found]
        return number < max((one for value in said for one in whole_numbers(value)), default=1)
    if site.next.more:
        return any(page.has(selector) for selector in site.next.more)
    return len(items) >= (site.contract.page_size or 1)


def _linked(
    site: Site, page: Item, fetched: Fetched, config: Any
) -> Request | DriftError | None:  # fmt: skip
    """Path and query of the link, on the host of the config; None for a page of this run.

    Some last pages link to themselves, or to the first.
    """
    address = joined(fetched.url, page.first(site.next.link))
    if address is None:
        return None
    found, here = urlsplit(address), urlsplit(fetched.url)
    if _bare(found.netloc) != _bare(here.netloc):
        return DriftError(f"the next page is on another host ({found.hostname})")
    own = urlsplit(filled(site.url, config.model_dump()))
    url, *known = (
        urlunsplit(one._replace(scheme=own.scheme, netloc=own.netloc, fragment=""))
        for one in (found, own, here)
    )
    read = list(dict.fromkeys([*_read_before(fetched), *map(_short, known)]))
    if _short(url) in read:
        return None
    return Request(url=url, state={"page": standing_on(fetched) + 1, "read": [*read, _short(url)]})


def _read_before(fetched: Fetched) -> list[str]:
    """Short names of the pages that were asked for in the same run."""
    read: Any = fetched.state.get("read")
    return [one for one in read if isinstance(one, str)] if isinstance(read, list) else []


def _short(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:12]


def _bare(netloc: str) -> str:
    """Sites write their own address with and without www."""
    return netloc.lower().removeprefix("www.")
