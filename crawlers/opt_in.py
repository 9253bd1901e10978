"""Kinds that stay off until the operator names them: some sites' terms want to be read first."""

from __future__ import annotations

from collections.abc import Collection

from crawlers.contract import Spider


def is_off(spider: Spider, opted_in: Collection[str]) -> bool:
    """Whether the kind may not be crawled here."""
    return spider.needs_opt_in and spider.kind not in opted_in


def how_to_opt_in(spider: Spider) -> str:
    """Why it is off and what turns it on."""
    why = "its site's terms want to be read first" if spider.is_opt_in else "it is unverified"
    return f'{spider.kind} is off, for {why}; [crawl] opted_in = ["{spider.kind}"] turns it on'
