"""Can what a page names as its next one be asked for at all? Decided before the page is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import scrapy

from core.address import AddressGuard
from core.errors import AddressRefused
from core.types import RunOutcome
from crawlers.contract import Page, Request
from crawlers.engine.memory import check_storable
from crawlers.engine.verdict import Verdict, of_error


def dead_end(page: Page, *, guard: AddressGuard) -> Verdict | None:
    """Why a run cannot go on from a page that it keeps, though there is more; None when it can."""
    if page.dead_end is not None:
        return of_error(page.dead_end, starts_over=True)
    try:
        check_storable(page.next, ahead=page.ahead)
        if page.next is not None:
            guard.check_url(scrapy_request(page.next).url)
    except AddressRefused as error:
        return _ended(RunOutcome.BLOCKED, f"the next page: {error}", page)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        return _ended(RunOutcome.DRIFT, f"the next page cannot be asked for: {error}", page)
    return None


def _ended(outcome: RunOutcome, reason: str, page: Page) -> Verdict:
    where = f" ({page.next.url!s:.300})" if page.next is not None else ""
    return Verdict(outcome=outcome, reason=f"{reason[:500]}{where}", starts_over=True)


def scrapy_request(
    asked: Request,
    *,
    callback: Callable[..., Any] | None = None,
    errback: Callable[..., Any] | None = None,
) -> scrapy.Request:
    """A request as Scrapy sends it; ``ValueError`` or ``TypeError`` for one that nobody could."""
    return scrapy.Request(
        asked.url,
        method=asked.method,
        headers=dict(asked.headers),
        body=asked.body,
        callback=callback,
        errback=errback,
        cb_kwargs={"asked": asked},
        dont_filter=True,
    )
