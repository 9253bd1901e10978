"""Tokens that are shown as RFC 6750 says."""

from __future__ import annotations

from dataclasses import replace

from crawlers.contract import Request


def with_bearer(request: Request, token: str | None) -> Request:
    """The request with the token in its header; as it is without one."""
    if token is None:
        return request
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
