"""A URL on the command line is what is asked, or else it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.address import DEFAULT_PORTS
from core.errors import GoodnameError
from crawlers.contract import Request, Spider
from goodname.sources.claims import by_address

_ORIGIN = "base_url"


def told_by(url: str, spider: Spider, known: Mapping[str, Spider]) -> dict[str, Any]:
    """The params of a kind that a URL tells of; empty where it tells of none."""
    claimed = by_address(url, known) if url else None
    if claimed and claimed.kind == spider.kind:
        return dict(claimed.params)
    return {"url": url} if url and "url" in spider.config.model_fields else {}


def check_is_asked(
    url: str,
    start: Request,
    spider: Spider,
    *,
    params: Mapping[str, Any],
    known: Mapping[str, Spider],
) -> None:
    """``GoodnameError`` where the first request has nothing to do with the URL that was given.

    It has where it goes there, or where params that the URL tells of are those that it is made of,
    as of the page of an app whose reviews stand elsewhere.
    """
    told = told_by(url, spider, known)
    if told and all(params[name] == value for name, value in told.items()):
        return
    try:
        given = urlsplit(url)
        if _place(given) == _place(urlsplit(start.url)):
            return
    except ValueError as error:
        raise GoodnameError(f"{url[:200]} is no address: {error}") from None
    raise GoodnameError(
        f"{spider.kind} would ask {start.url}, and not {url}: {_advice(spider, given, told)}"
    )


def _place(parts: SplitResult) -> tuple[str, int | None, str]:
    host = (parts.hostname or "").removeprefix("www.")
    return host, parts.port or DEFAULT_PORTS.get(parts.scheme), parts.path.rstrip("/")


def _advice(spider: Spider, given: SplitResult, told: Mapping[str, Any]) -> str:
    names = spider.config.model_fields
    if told:
        return f"leave the URL out, or {' and '.join(told)} among the --params, which say another"
    ways = ["leave the URL out"]
    if _ORIGIN in names:
        ways.append(f"say whom to ask by --params {_ORIGIN}={given.scheme}://{given.netloc}")
    ways.append("give nothing but the URL, so that the page is recognised")
    return f"{', or '.join(ways)} (params of {spider.kind}: {', '.join(names)})"
