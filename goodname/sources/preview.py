"""`goodname sources preview`: what is read of a page, and whether the contract holds."""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import GoodnameError
from core.settings import Settings, load_settings
from crawlers.contract import Fetched, Request, Spider
from crawlers.engine.profile import Profile, with_page
from crawlers.engine.suspicion import broken_promises
from crawlers.errors import CrawlError
from goodname.sources.asked import check_is_asked, told_by
from goodname.sources.claims import Guess, by_address
from goodname.sources.fetch import Hand
from goodname.sources.kinds import config_of, known_kinds, read_params, spider_named, spider_of_file
from goodname.sources.recognise import SAVED_HOST, recognise
from goodname.sources.shown import shown
from goodname.sources.walk import Visit, credential_of, read, walk
from goodname.sources.written import written, written_error

_MOST_BYTES = 32 * 1024 * 1024
#: Of a stream, which says in a page what all the world says in a minute or two.
_STREAM_PAGES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    what: str  #: a URL or a file; empty: what the kind itself asks first
    kind: str | None = None
    params: tuple[str, ...] = ()
    site: Path | None = None
    url: str = ""
    zone: str = "UTC"
    as_json: bool = False
    settings: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a preview found out."""

    spider: Spider
    params: Mapping[str, Any]
    why: str  #: how the kind was found; empty when it was named
    visit: Visit
    profile: Profile = field(default_factory=Profile)
    broken: tuple[str, ...] = ()  #: what of the contract does not hold


def preview(wanted: Wanted) -> int:
    """Print the preview; 1 when nothing was read or the contract is broken."""
    settings = load_settings(wanted.settings)
    try:
        seen = look(wanted, settings)
    except CrawlError as error:
        if not wanted.as_json:
            raise
        print(json.dumps(written_error(error)))  # noqa: T201
        return 1
    if wanted.as_json:
        json.dump(document(seen), sys.stdout, ensure_ascii=False, indent=1)
        print()  # noqa: T201
    else:
        console = Console(highlight=False)
        console.print(shown(seen, width=console.width), crop=False)
    return 0 if seen.visit.page is not None and not seen.broken else 1


def look(wanted: Wanted, settings: Settings) -> Seen:
    """Fetch or open what was asked for, find its kind, and read it."""
    if wanted.site and wanted.kind:
        raise GoodnameError("--site and --kind: one of the two says how to read the page")
    known = dict(known_kinds(settings))
    if wanted.site:
        spider = spider_of_file(wanted.site)
        known = {spider.kind: spider}
    if not wanted.what and not (wanted.kind or wanted.site):
        raise GoodnameError("name a URL, the file of a saved page, or a --kind with its --params")
    is_live = not wanted.what or wanted.what.lower().startswith(("http://", "https://"))
    with Hand(settings.crawl) if is_live else nullcontext() as hand:
        if hand is not None:
            spider, guess, visit = _live(wanted, known, settings, hand)
        else:
            spider, guess, visit = _saved(wanted, known)
    return _weighed(Seen(spider=spider, params=guess.params, why=guess.why, visit=visit))


def document(seen: Seen) -> dict[str, Any]:
    """All of it as JSON."""
    spider, profile = seen.spider, seen.profile
    return {
        "kind": spider.kind,
        "family": spider.family.value,
        "is_verified": spider.is_verified,
        "params": dict(seen.params),
        "recognised": seen.why,
        "url": seen.visit.fetched.url,
        "filled": {"posts": profile.posts, **profile.filled},
        "contract": {"is_kept": not seen.broken, "broken": list(seen.broken)},
        **written(seen.visit),
    }


def _named(wanted: Wanted, known: Mapping[str, Spider], *, url: str) -> Guess | None:
    """What the command line says; the URL fills the params that it tells of."""
    kind = next(iter(known)) if wanted.site else wanted.kind
    if kind is None:
        return None
    told = told_by(url, spider_named(kind, known), known)
    return Guess(kind=kind, params={**told, **read_params(wanted.params)}, why="")


def _live(
    wanted: Wanted, known: Mapping[str, Spider], settings: Settings, hand: Hand
) -> tuple[Spider, Guess, Visit]:
    guess = _named(wanted, known, url=wanted.what) or by_address(wanted.what, known)
    fetched: Fetched | None = None
    if guess is None:
        fetched = hand.fetch(Request(url=wanted.what), zone=wanted.zone)
        guess = recognise(fetched, known)
    spider = known[guess.kind]
    params = {**guess.params, **read_params(wanted.params)}
    config = config_of(spider, params)
    start = spider.start(config, cursor={})
    if fetched is not None and start.url == fetched.url and start.method == "GET":
        return spider, guess, read(spider, config, start, fetched, ahead={})
    if wanted.what and fetched is None:
        check_is_asked(wanted.what, start, spider, params=params, known=known)
    credential = credential_of(spider, config, settings, hand)
    most_pages = _STREAM_PAGES if start.is_stream else 1
    visits = walk(
        spider, config, hand, credential=credential, zone=wanted.zone, most_pages=most_pages
    )
    return spider, guess, _first_with_posts(visits)


def _first_with_posts(visits: Iterable[Visit]) -> Visit:
    """Or else the last: the first page of a stream only asks what time it is there."""
    visit = None
    for visit in visits:
        if visit.page is None or visit.page.posts:
            break
    if visit is None:
        raise RuntimeError("a walk has a first page")
    return visit


def _saved(wanted: Wanted, known: Mapping[str, Spider]) -> tuple[Spider, Guess, Visit]:
    path = Path(wanted.what)
    fetched = _opened(path, url=wanted.url, zone=wanted.zone)
    guess = _named(wanted, known, url=wanted.url)
    if guess is None:
        guess = recognise(fetched, known)
    spider = known[guess.kind]
    try:
        config = config_of(spider, guess.params)
    except GoodnameError:
        if wanted.url or "url" not in spider.config.model_fields:
            raise
        guess = Guess(kind=guess.kind, params={**guess.params, "url": fetched.url}, why=guess.why)
        config = config_of(spider, guess.params)
    start = spider.start(config, cursor={})
    if not wanted.url:
        fetched = _opened(path, url=start.url, zone=wanted.zone)
    return spider, guess, read(spider, config, start, fetched, ahead={})


def _opened(path: Path, *, url: str, zone: str) -> Fetched:
    """A saved page as an answer of just now."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise GoodnameError(f"{path}: larger than {_MOST_BYTES // 2**20} MiB")
        body = path.read_bytes()
    except (OSError, ValueError) as error:
        raise GoodnameError(f"{str(path)[:200]}: no URL, and no file either ({error})") from None
    kind = mimetypes.guess_type(path.name)[0] or ""
    return Fetched(
        url=url or f"https://{SAVED_HOST}/page",
        status=200,
        headers={"content-type": kind},
        body=body,
        fetched_at=datetime.now(UTC),
        time_zone=zone,
    )


def _weighed(seen: Seen) -> Seen:
    if seen.visit.page is None:
        return seen
    profile = with_page(
        Profile(),
        seen.visit.page,
        promise=seen.spider.promise,
        fetched_at=seen.visit.fetched.fetched_at,
        key=seen.visit.request.url,
    )
    broken = tuple(found.reason for found in broken_promises(profile, seen.spider.promise))
    if seen.visit.page.dead_end is not None:
        broken = (*broken, str(seen.visit.page.dead_end))
    return Seen(
        spider=seen.spider,
        params=seen.params,
        why=seen.why,
        visit=seen.visit,
        profile=profile,
        broken=broken,
    )
