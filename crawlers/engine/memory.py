"""What the engine itself remembers in ``source.cursor`` and ``source.resume``. Pure.

The spider never sees the engine's key; a change of kind or params makes both void.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from crawlers.contract import Cursor, Request

#: Beside the spider's own keys in ``source.cursor``.
KEY = "_engine"
#: What waits in a request is read and written with each page.
_MOST_KEPT = 1_000_000
# In JSON: the six characters themselves, as someone may write them, stand behind a backslash more.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_VALIDATORS = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))


def fingerprint(kind: str, params: Mapping[str, Any]) -> str:
    """What a cursor was made for: it means nothing for another query."""
    text = json.dumps([kind, params], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def spider_cursor(stored: Mapping[str, Any], *, made_for: str) -> Cursor:
    """The spider's part of a stored cursor; empty when it was made for other params."""
    ours = stored.get(KEY) or {}
    if ours and ours.get("for") != made_for:
        return {}
    return {key: value for key, value in stored.items() if key != KEY}


def conditional(request: Request, stored: Mapping[str, Any], *, made_for: str) -> Request:
    """Ask for the page only if it changed since the last whole run."""
    ours = stored.get(KEY) or {}
    is_same = ours.get("for") == made_for and ours.get("url") == request.url
    if not is_same or not _is_comparable(request):
        return request
    asked = {name: ours[key] for key, name in _VALIDATORS if ours.get(key)}
    return replace(request, headers={**asked, **request.headers})


def validators(request: Request, headers: Mapping[str, str]) -> dict[str, str]:
    """What the first page's answer gives for asking conditionally the next time."""
    given = {key: headers[key] for key, _ in _VALIDATORS if headers.get(key)}
    return {"url": request.url, **given} if given and _is_comparable(request) else {}


def unconditional(request: Request) -> Request:
    """What names the page that is asked for, whether or not it may be unchanged."""
    asking = {name for _, name in _VALIDATORS}
    headers = {name: value for name, value in request.headers.items() if name not in asking}
    return replace(request, headers=headers, may_be_unchanged=True)


def _is_comparable(request: Request) -> bool:
    return request.method == "GET" and request.may_be_unchanged


def cursor_to_store(ahead: Cursor, *, seen: Mapping[str, str], made_for: str) -> dict[str, Any]:
    """The cursor of a whole run, with the engine's own part."""
    return {**ahead, KEY: {**seen, "for": made_for}}


def without_validators(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored cursor with which the first page is asked for whether or not it has changed."""
    return {**stored, KEY: {"for": (stored.get(KEY) or {}).get("for")}}


def resume_to_store(
    following: Request, *, ahead: Cursor, seen: Mapping[str, str], made_for: str
) -> dict[str, Any]:
    """Where a run stands after a page: what comes next, and the cursor that it will leave."""
    return {
        "next": _plain(following),
        "ahead": dict(ahead),
        "seen": dict(seen),
        "for": made_for,
    }


def check_storable(following: Request | None, *, ahead: Cursor) -> None:
    """Raise ``ValueError`` or ``TypeError`` for what a spider left that the database cannot keep.

    Signs that it refuses may come from the site, so this is asked of every page.
    """
    told = [_plain(following) if following else None, dict(ahead)]
    kept = json.dumps(told, ensure_ascii=False, allow_nan=False)
    if _NUL.search(kept):
        raise ValueError("what it remembers holds a NUL")
    if len(kept.encode("utf-8")) > _MOST_KEPT:
        raise ValueError(f"what it remembers is longer than {_MOST_KEPT} bytes")


def _plain(request: Request) -> dict[str, Any]:
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    return {key: dict(it) if isinstance(it, Mapping) else it for key, it in values.items()}


def resumed(stored: Mapping[str, Any] | None, *, made_for: str) -> tuple[Request, Cursor] | None:
    """The request and the ``ahead`` that a cut-off run left, if they still mean something."""
    if not stored or stored.get("for") != made_for:
        return None
    try:
        known = {field.name for field in fields(Request)}
        following = {key: value for key, value in stored["next"].items() if key in known}
        return Request(**following), dict(stored["ahead"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
