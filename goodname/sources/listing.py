"""`goodname sources list`: every kind that can be crawled here."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.settings import load_settings
from crawlers.catalogue import own_sites
from crawlers.contract import Spider
from crawlers.opt_in import is_off
from goodname.sources.code_lines import code_lines
from goodname.sources.kinds import known_kinds


def list_kinds(path: Path | None, *, as_json: bool = False) -> None:
    """Print the kinds, those of the operator's own files too."""
    settings = load_settings(path)
    own = own_sites(settings.crawl.sites)
    rows = [
        described(spider, opted_in=settings.crawl.opted_in, is_own=spider.kind in own.spiders)
        for _, spider in sorted(known_kinds(settings).items())
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))  # noqa: T201
        return
    console = Console(highlight=False)
    console.print(_table(rows))
    if any(row["is_off"] for row in rows):
        console.print(
            "what is off is turned on by its name in [crawl] opted_in",
            style="dim",
            markup=False,
        )
    for broken in own.broken:
        console.print(f"broken: {broken.reason}", style="red", markup=False, soft_wrap=True)


def described(spider: Spider, *, opted_in: Collection[str], is_own: bool = False) -> dict[str, Any]:
    """What there is to know of a kind before it is used."""
    return {
        "kind": spider.kind,
        "title": spider.title,
        "family": spider.family.value,
        "is_verified": spider.is_verified,
        "needs_opt_in": spider.needs_opt_in,
        "is_off": is_off(spider, opted_in),
        "minimum_interval_seconds": spider.minimum_interval_seconds,
        "params": list(spider.config.model_fields),
        "credential": dict(spider.secrets),
        "lines_of_code": code_lines(spider),
        "is_own": is_own,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("kind", "family", "verified", "here", "every", "credential", "lines"):
        table.add_column(
            name,
            justify="right" if name == "lines" else "left",
            no_wrap=True,
        )
    for row in rows:
        is_off_here, is_verified = row["is_off"], row["is_verified"]
        table.add_row(
            Text(row["kind"], style="bold"),
            row["family"],
            Text("yes" if is_verified else "no",
                 style="green" if is_verified else "yellow"),
            Text("off" if is_off_here else "on", style="dim" if is_off_here else ""),
            _interval(row["minimum_interval_seconds"]),
            Text("\n".join(row["credential"]) or "none", style="" if row["credential"] else "dim"),
            str(row["lines_of_code"]),
        )  # fmt: skip
    return table


def _interval(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"
