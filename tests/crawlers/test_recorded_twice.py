"""One search of X, recorded twice 21 days apart: what is missing, new and changed in between."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import PostEngagement, PostRow, Source
from crawlers.catalogue import spiders
from crawlers.contract import Fetched, Page
from pipeline.ingest import Kept, keep
from pipeline.presence import CONFIRMED_AFTER, Walk
from pipeline.presence_rows import Reconciled, reconcile
from tests.factories import add_source

FIRST = datetime(2021, 6, 13, 14, 47, tzinfo=UTC)
SECOND = datetime(2021, 7, 4, 7, 45, tzinfo=UTC)


def recorded(shared: Path, name: str, at: datetime) -> Page:
    told: dict[str, Any] = json.loads(gzip.decompress((shared / "fixtures/x" / name).read_bytes()))
    told = told.get("body", told)
    told.get("meta", {}).pop("next_token", None)
    spider = spiders()["x"]
    config = spider.config.model_validate({"query": "recorded"})
    url = "https://api.x.com/2/tweets/search/recent?query=recorded"
    body = json.dumps(told).encode()
    fetched = Fetched(url=url, status=200, headers={}, body=body, fetched_at=at)
    return spider.parse(fetched, config, cursor={}, ahead={})


def walked(session: Session, source: Source, page: Page, at: datetime) -> tuple[Kept, Reconciled]:
    kept = keep(session, page.posts, source_id=source.id, crawl_run_id=None, now=at)
    walk = Walk(began_at=at).past(kept.dated)
    return kept, reconcile(session, walk, source_id=source.id, can_ask=False, now=at)


def test_nine_are_missing_one_is_new_and_five_have_changed(session: Session, shared: Path) -> None:
    source = add_source(session)
    before = recorded(shared, "search_all_to_kfc_2021-06-13.json.gz", FIRST)
    after = recorded(shared, "search_all_to_kfc_2021-07-04.json.gz", SECOND)
    first, _ = walked(session, source, before, FIRST)
    assert (first.new, first.dead) == (214, 0)
    second, found = walked(session, source, after, SECOND)
    moved = session.scalar(
        select(func.count()).select_from(PostEngagement).where(PostEngagement.seen_at == SECOND)
    )
    changed = (moved or 0) - len(second.new_ids)
    assert (len(found.missing), second.new, changed, second.changed) == (9, 1, 5, 0)
    absent = {post.external_id for post in before.posts} - {p.external_id for p in after.posts}
    names = select(PostRow.external_id).where(PostRow.missing_since.is_not(None))
    assert set(session.scalars(names)) == absent
    _, third = walked(session, source, after, SECOND + CONFIRMED_AFTER + timedelta(minutes=1))
    assert set(third.gone) == set(found.missing)
