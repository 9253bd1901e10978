"""Requests and responses as plain values, and the rule for 304."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
CSS = "text/css; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What we answer; ``posts`` are the ids that the body carries, for the ledger."""

    body: bytes = b""
    content_type: str = HTML
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    changed_at: datetime | None = None
    posts: tuple[str, ...] = ()


def as_json(value: object, *, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A JSON answer in UTF-8."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(body=body, content_type=JSON, status=status)


def redirect(location: str) -> Response:
    """Send the client elsewhere for now."""
    return Response(status=HTTPStatus.FOUND, headers={"Location": location})


def with_validators(response: Response, request: Request, *, now: datetime) -> Response:
    """Add ETag and Last-Modified, and answer 304 to a client that has the body already."""
    if request.method not in ("GET", "HEAD") or response.status != HTTPStatus.OK:
        return response
    headers = {"ETag": _etag(response.body), "Cache-Control": "no-cache", **response.headers}
    # A date of whole seconds cannot tell two changes within one second apart (RFC 9110, 8.8.2.2).
    changed = response.changed_at
    if changed and (now - changed).total_seconds() > 1:
        headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    answered = replace(response, headers=headers)
    if not _has_it_already(request, headers):
        return answered
    return replace(answered, status=HTTPStatus.NOT_MODIFIED, body=b"", posts=())


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def _has_it_already(request: Request, headers: Mapping[str, str]) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:  # it wins over the date, RFC 9110, 13.1.3
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or headers["ETag"] in tags
    since, changed = request.headers.get("if-modified-since"), headers.get("Last-Modified")
    if since is None or changed is None:
        return False
    try:
        return parsedate_to_datetime(changed) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
