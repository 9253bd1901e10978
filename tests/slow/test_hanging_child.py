"""With the settings as they are shipped: a child that hangs is noticed, and its crawl goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.settings import CrawlSection
from tests.crawlers.site import page, posts, serving
from tests.crawlers.working import ask, runs, source_row, wait_for, working

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.mark.parametrize("way", ["loop", "thread"])
def test_a_crawl_whose_child_hangs_is_whole_within_forty_seconds(
    way: str, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    limit = CrawlSection().tick_timeout_seconds
    hung = tmp_path / "hung"
    with (
        serving() as site,
        working(
            database_url,
            tick_timeout_seconds=limit,
            allowed_addresses=[f"127.0.0.1:{site.port}"],
        ),
    ):
        site.pages["/harmless"] = page(posts(("a", "first"), following=f"{site.url}/2"))
        site.pages["/2"] = page(posts(("b", "second")))
        source = ask(engine, f"{site.url}/harmless", hang=way, hang_only_once=str(hung))
        wait_for(hung.exists, seconds=30)
        took = wait_for(
            lambda: [run.outcome for run in runs(engine, source)] == ["error", "ok"], seconds=60
        )
    assert limit - 2 <= took <= 40
    # The first page was committed before the hang and was not fetched again.
    assert site.paths() == ["/harmless", "/2", "/2"]
    assert source_row(engine, source).resume is None
