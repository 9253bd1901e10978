"""`goodname sources record`: crawl a source once and keep its pages for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import GoodnameError
from core.settings import Settings, load_settings
from crawlers.contract import Family, Spider
from crawlers.credentials import written_ways
from crawlers.opt_in import how_to_opt_in, is_off
from goodname.sources.clean import clean_params, clean_url, cleaned, secrets_in
from goodname.sources.fetch import Hand
from goodname.sources.find import find_source
from goodname.sources.kinds import config_of, known_kinds, spider_named
from goodname.sources.ledger import ledger
from goodname.sources.recording import HEAD, Recording, save
from goodname.sources.walk import Credential, Visit, credential_of, read, walk


def record(
    path: Path | None, name: str, *, folder: Path, most_pages: int, overwrite: bool = False
) -> int:
    """Write a recording of the source; 1 when its last page could not be read."""
    settings = load_settings(path)
    if (folder / name / HEAD).exists() and not overwrite:
        raise GoodnameError(f"{folder / name} exists; --overwrite replaces it")
    with Hand(settings.crawl) as hand:
        recording, visits = record_by(hand, settings, name, folder=folder, most_pages=most_pages)
    _say(recording, visits)
    return 1 if visits[-1].error else 0


def record_by(
    hand: Hand, settings: Settings, name: str, *, folder: Path, most_pages: int
) -> tuple[Recording, list[Visit]]:
    """Read the source page by page; each page is read again after it was cleaned."""
    entry = find_source(settings, name)
    spider = spider_named(entry.kind, known_kinds(settings))
    if is_off(spider, settings.crawl.opted_in):
        raise GoodnameError(how_to_opt_in(spider))
    config = config_of(spider, entry.params)
    with ledger(settings, spider, config, clock=hand.clock) as spend:
        credential = credential_of(spider, config, settings, hand, spend=spend)
        walked = walk(
            spider, config, hand, credential=credential, zone=entry.time_zone,
            most_pages=most_pages, spend=spend,
        )  # fmt: skip
        visits = [_cleaned_visit(visit, spider, config, credential) for visit in walked]
    recording = save(
        folder,
        name,
        visits,
        kind=entry.kind,
        params=clean_params(entry.params, credential.words),
        zone=entry.time_zone,
    )
    return recording, visits


def _cleaned_visit(visit: Visit, spider: Spider, config: Any, credential: Credential) -> Visit:
    words = [*credential.words, *secrets_in(config.model_dump())]
    fetched = cleaned(visit.fetched, words, is_of_api=spider.family is Family.JSON_API)
    state = json.dumps(dict(fetched.state))
    if any(word in state for word in written_ways(words)):
        raise GoodnameError(f"{spider.kind} keeps its credential in a request; not recorded")
    request = type(visit.request)(url=clean_url(visit.request.url, words))
    return read(spider, config, request, fetched, ahead=visit.ahead)


def _say(recording: Recording, visits: list[Visit]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for visit in visits:
        if visit.page is None:
            console.print(f"{visit.fetched.url}: {visit.error}", style="red", markup=False)
            continue
        told = f"{len(visit.page.posts)} posts, {len(visit.page.problems)} problems"
        console.print(f"{visit.fetched.url}: {told}", markup=False)
    console.print(
        f"written to {recording.path}; it fails `goodname sources check` until somebody has looked"
        f" at it: goodname sources review {recording.name}",
        markup=False,
    )
