"""Facebook's Graph API: its refusals by code, and the cursors of its lists.

Codes: developers.facebook.com/docs/graph-api/guides/error-handling and …/overview/rate-limiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from crawlers.contract import Fetched
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError, QuotaError
from crawlers.families.refusals import quoted
from crawlers.reading.json_body import Json, at, count, listed, parse_json, words
from crawlers.reading.limits import LONGEST_WAIT
from crawlers.reading.web_address import query_of

_USAGE = "x-business-use-case-usage"
_OFTEN = {4, 17, 32, 613}
_TOKEN = {102, 190, 463, 467}
_PERMISSION = {3, 10}


def explain_graph(body: Json, fetched: Fetched) -> CrawlError | None:
    """What an ``error`` object means; None where there is none."""
    error = at(body, "error")
    if not isinstance(error, Mapping):
        return None
    code, said = count(error.get("code")) or 0, quoted(error.get("message"))
    if code in _TOKEN:
        return AuthError(f"Facebook refuses the access token ({code}){said}")
    if code in _PERMISSION or 200 <= code < 300:
        return AuthError(f"the access token may not read this ({code}){said}")
    if code in _OFTEN or 80_000 <= code < 80_100:
        return QuotaError(f"too many calls ({code}){said}", until=_regained_at(fetched))
    if code == 12:
        return DriftError(f"Facebook has given up what is asked for (12){said}")
    if code == 368:
        return BlockedError(f"Facebook blocks the app for a time ({code}){said}")
    if code == 100 and "access" in said.lower():
        return AuthError(f"the access token may not read this ({code}){said}")
    return CrawlError(f"Facebook answered with error {code}{said}")


def _regained_at(fetched: Fetched) -> datetime | None:
    """When calls are allowed again: the header says it in minutes for each use."""
    try:
        usage = parse_json(fetched.headers.get(_USAGE, ""), what="the header of usage")
    except DriftError:
        return None
    uses = [one for used in usage.values() for one in listed(used)] if _is_object(usage) else []
    minutes = [count(at(one, "estimated_time_to_regain_access")) or 0 for one in uses]
    longest = max([one for one in minutes if one > 0], default=None)
    if longest is None:
        return None
    wait = min(timedelta(minutes=min(longest, 10_000)), LONGEST_WAIT)
    return fetched.fetched_at + wait


def _is_object(value: Json) -> bool:
    return isinstance(value, Mapping)


def cursor_of(paging: Json) -> dict[str, str]:
    """The parameters of the page that follows; empty on the last one.

    The list says ``cursors.after`` on its last page too; ``next`` stands only where more follow.
    Lists that are paged by time have no cursors, so theirs are read from that link.
    """
    link = words(at(paging, "next"))
    if link is None:
        return {}
    if after := words(at(paging, "cursors", "after")):
        return {"after": after}
    said = query_of(link)
    keys = ("after",) if said.get("after") else ("until", "__paging_token")
    return {key: said[key] for key in keys if said.get(key)}
