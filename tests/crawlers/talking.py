"""Talk to a spider about one answer, for tests of what stands beside ``parse``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crawlers.catalogue import spiders
from crawlers.contract import Config, Fetched, KnownPost, Page
from tests.crawlers.saved_pages import FETCHED_AT, config_of


def config(kind: str, **params: Any) -> Config:
    """The settings of the source whose pages were saved, and what differs from them."""
    found: Config = spiders()[kind].config(**{**config_of(kind), **params})
    return found


def answer(
    body: object,
    *,
    status: int = 200,
    url: str = "https://site.example/asked",
    headers: Mapping[str, str] | None = None,
    state: Mapping[str, Any] | None = None,
) -> Fetched:
    """An answer; what is neither text nor bytes is its JSON."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    return Fetched(
        url=url,
        status=status,
        headers=headers or {},
        body=json.dumps(body).encode() if raw is None else raw,
        fetched_at=FETCHED_AT,
        state=state or {},
    )


def known(*ids: str) -> list[KnownPost]:
    """Posts that were kept."""
    return [KnownPost(external_id=one, url="https://site.example/post") for one in ids]


def rechecked(kind: str, body: object, *ids: str, status: int = 200, **params: Any) -> Page:
    """What a spider makes of the answer to its asking for these posts again."""
    settings = config(kind, **params)
    request = spiders()[kind].recheck(settings, known(*ids))
    assert request is not None
    fetched = answer(body, status=status, url=request.url)
    return spiders()[kind].parse_recheck(fetched, settings, known(*ids))
