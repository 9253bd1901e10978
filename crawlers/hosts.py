"""Which host a source is crawled from, so that one process keeps the manners towards it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog

from crawlers.contract import Spider

log = structlog.get_logger()


def host_of(kind: str, params: Mapping[str, Any], *, spiders: Mapping[str, Spider]) -> str:
    """Where the first request of a run goes; the kind's own name when that cannot be known.

    A spider that goes on to other hosts has them visited by the process of its first one.
    """
    spider = spiders.get(kind)
    if spider is None:
        return kind
    try:
        request = spider.start(spider.config.model_validate(params), cursor={})
        return (urlsplit(request.url).hostname or kind).lower()
    except Exception as error:
        # Its run will say what is wrong with it.
        log.debug("source_without_host", kind=kind, error=type(error).__name__)
        return kind
