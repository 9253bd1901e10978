"""robots.txt by RFC 9309, in place of Scrapy's own middleware.

Scrapy allows everything when robots.txt cannot be had and reads the body of a 5xx as rules; the
RFC wants a full disallow for both. Protego skips a first line behind a byte order mark.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from core.types import RunOutcome
from crawlers.engine.answers import silence
from crawlers.engine.headers import plain_headers
from crawlers.engine.verdict import EndedError, ForbiddenError, WaitError
from crawlers.errors import BlockedError, CrawlError
from crawlers.reading.limits import asked_wait

if TYPE_CHECKING:
    from crawlers.engine.run import Run

#: The RFC asks to read at least 500 KiB; what follows is not read.
_LONGEST = 500 * 1024
_FRESH_SECONDS = 3600.0
_LONGEST_DELAY = 60.0
_IS_ROBOTS = "is_robots"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host allows to us."""

    parsed: Protego | None  #: None allows everything

    def allow(self, url: str, *, agent: str) -> bool:
        """Whether ``agent``, a product token like ``Goodname``, may fetch the URL."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, agent))

    def delay(self, *, agent: str) -> float:
        """The pause in seconds that the host asks for, within reason."""
        asked = self.parsed.crawl_delay(agent) if self.parsed else None
        return min(float(asked or 0.0), _LONGEST_DELAY)


def read_rules(status: int, body: bytes) -> Rules:
    """Understand an answer for robots.txt; ``BlockedError`` when it disallows by being broken."""
    if 200 <= status < 300:
        text = body[:_LONGEST].removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
        return Rules(Protego.parse(text.lstrip("\ufeff")))
    if status >= 500 or status == 429:
        raise BlockedError(f"robots.txt unreachable (HTTP {status}), so nothing may be fetched")
    return Rules(None)


@dataclass(slots=True)
class RobotsMemory:
    """Rules of hosts for an hour; what could not be had is asked for again by the next run."""

    _rules: dict[str, tuple[float, Rules]] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    def asking(self, site: str) -> asyncio.Lock:
        """Held by the one run that asks, so that those beside it wait for what it learns."""
        return self._asking.setdefault(site, asyncio.Lock())

    def get(self, site: str) -> Rules | None:
        """The rules of ``scheme://host:port``, while they are fresh."""
        at, rules = self._rules.get(site, (-_FRESH_SECONDS, None))
        return rules if time.monotonic() - at < _FRESH_SECONDS else None

    def put(self, site: str, rules: Rules) -> None:
        """Remember; the oldest go when there are many."""
        if len(self._rules) >= 5000:
            self._rules.clear()
            self._asking = {site: lock for site, lock in self._asking.items() if lock.locked()}
        self._rules[site] = (time.monotonic(), rules)


class RobotsMiddleware:
    """Asks robots.txt before the first request to a host."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        run: Run = cast("Any", crawler.spider).run
        self._office, self._signing = run.office, run.signing
        self._agent = self._office.settings.user_agent.split("/")[0].strip()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """Built by Scrapy for each crawl."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises ``BlockedError``, which ends the run, when the host forbids the URL."""
        if request.meta.get(_IS_ROBOTS) or self._signing.is_by_agreement(request):
            return
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc}"
        async with self._office.robots.asking(site):
            rules = self._office.robots.get(site)
            if rules is None:
                rules = await self._ask(site)
                self._office.robots.put(site, rules)
        if not rules.allow(request.url, agent=self._agent):
            raise ForbiddenError(f"robots.txt forbids it ({request.url})")
        self._office.turns.slow_down(parts.hostname or "", seconds=rules.delay(agent=self._agent))

    async def _ask(self, site: str) -> Rules:
        request = Request(f"{site}/robots.txt", callback=NO_CALLBACK, meta={_IS_ROBOTS: True})
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - Scrapy has one while it crawls
        try:
            answer = await engine.download_async(request)
        except Exception as error:
            raise self._unreachable(error, request.url) from error
        self._heed_wait(answer)  # the client has it held already; this says why
        return read_rules(answer.status, answer.body)

    def _unreachable(self, error: Exception, url: str) -> CrawlError:
        settings = self._office.settings
        if isinstance(error, CrawlError):
            return error
        found = silence(
            self._office.explained(error, url),
            url=url,
            timeout=settings.timeout_seconds,
            limit=settings.max_body_bytes,
        )
        if found.is_wrong_address:
            return EndedError(replace(found, reason=f"robots.txt unreachable: {found.reason}"))
        is_blocked = "no whole answer" in found.reason or found.outcome is RunOutcome.BLOCKED
        kind = BlockedError if is_blocked else CrawlError
        return kind(f"robots.txt unreachable: {found.reason}")

    def _heed_wait(self, answer: Response) -> None:
        if answer.status not in (429, 503):
            return
        until = asked_wait(answer.status, plain_headers(answer), now=self._office.clock())
        if until is not None:
            raise WaitError(f"robots.txt unreachable (HTTP {answer.status})", until=until)
