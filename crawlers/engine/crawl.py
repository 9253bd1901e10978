"""Crawl one source, any number of times in one process, on the running asyncio loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import scrapy
import structlog
from pydantic import ValidationError
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.http import Response
from twisted.python.failure import Failure

from core.types import RunOutcome
from crawlers.contract import Fetched, Request
from crawlers.credentials import secrets_for
from crawlers.engine.deadline import finished_in_time
from crawlers.engine.headers import plain_headers
from crawlers.engine.office import Office
from crawlers.engine.record import Begun, begin, finish
from crawlers.engine.run import Run
from crawlers.engine.scrapy_settings import scrapy_settings
from crawlers.engine.verdict import NOTHING_CHANGED, Tally, Verdict, of_error
from crawlers.engine.way_on import scrapy_request
from crawlers.errors import AuthError
from crawlers.opt_in import how_to_opt_in, is_off

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Crawled:
    """What a crawl came to."""

    run_id: int
    verdict: Verdict


async def crawl(source_id: int, *, office: Office) -> Crawled | None:
    """Run a source once, to a verdict in its row; None when the source is gone.

    Raises ``DatabaseError`` when the database was away for too long. Cancelling it is safe at
    any point: what was committed stands, and the next run goes on from there.
    """
    now = office.clock()
    begun = await office.write(lambda session: begin(session, source_id, now=now))
    if begun is None:
        return None
    run = _prepared(office, begun)
    if isinstance(run, Verdict):
        verdict = run
        await office.write(
            lambda session: finish(
                session, begun, verdict, tally=Tally(), stand=None, now=office.clock()
            )
        )
    else:
        found = await _followed(run)
        if found is None:
            log.info("crawl_ended", source=begun.slug, reason="its source was deleted meanwhile")
            return None
        verdict = found
    # A source that has nothing to say says it every few minutes.
    is_news = verdict.outcome is not RunOutcome.OK or verdict.reason != NOTHING_CHANGED
    log.log(
        logging.INFO if is_news else logging.DEBUG,
        "crawl_finished",
        source=begun.slug,
        run=begun.run_id,
        outcome=verdict.outcome.value,
        reason=verdict.reason,
    )
    return Crawled(begun.run_id, verdict)


def _prepared(office: Office, begun: Begun) -> Run | Verdict:
    spider = office.spiders.get(begun.kind)
    if spider is None:
        known = ", ".join(sorted(office.spiders))
        reason = f"no spider of kind {begun.kind!r} is installed; known: {known}"
        return Verdict(outcome=RunOutcome.ERROR, reason=reason)
    if is_off(spider, office.settings.opted_in):
        return Verdict(outcome=RunOutcome.ERROR, reason=how_to_opt_in(spider))
    try:
        config = spider.config.model_validate(begun.params)
    except ValidationError as error:
        return Verdict(outcome=RunOutcome.ERROR, reason=f"params: {_complaints(error)}")
    try:
        secrets = secrets_for(spider, config, office.credentials)
    except AuthError as error:
        return of_error(error)
    begun = replace(begun, is_limited=spider.is_limited)
    return Run(office, begun, spider=spider, config=config, secrets=secrets)


def _complaints(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
    )


async def _followed(run: Run) -> Verdict | None:
    first = await run.first_request()
    if first is not None:
        runner = AsyncCrawlerRunner(scrapy_settings(run.office.settings))
        try:
            await finished_in_time(
                runner.crawl(_PageAfterPage, run=run, first=first),
                late=run.late,
                stop=runner.stop,
                seconds=run.office.settings.run_timeout_seconds,
            )
        except asyncio.CancelledError:
            # Scrapy finishes its request in its own time; nothing more is written.
            run.is_cancelled = True
            raise
    return await _concluded(run)


async def _concluded(run: Run) -> Verdict | None:
    """The verdict of a run that is over; ``DatabaseError`` when it could not be written.

    None when its source was deleted meanwhile.
    """
    await run.close()
    if run.is_cancelled:
        raise asyncio.CancelledError
    if run.failure is not None:
        raise run.failure
    if run.is_gone:
        return None
    assert run.verdict is not None  # noqa: S101 - close() gives one to every other run
    return run.verdict


class _PageAfterPage(scrapy.Spider):
    """Scrapy's side of a run: fetches one request after the other and hands on what came."""

    name = "goodname"

    def __init__(self, *, run: Run, first: Request, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run, self._first = run, first

    async def start(self) -> AsyncIterator[scrapy.Request]:
        request = await self._scrapy_request(self._first)
        if request is not None:
            yield request

    async def read(self, response: Response, asked: Request) -> AsyncIterator[scrapy.Request]:
        fetched = Fetched(
            url=response.url,
            status=response.status,
            headers=plain_headers(response),
            body=response.body,
            fetched_at=self.run.office.clock(),
            time_zone=self.run.begun.time_zone,
            state=asked.state,
        )
        async for request in self._next(await self.run.read(asked, fetched)):
            yield request

    async def fail(self, failure: Failure) -> AsyncIterator[scrapy.Request]:
        sent: Any = getattr(failure, "request", None)
        error = failure.value or RuntimeError("a failure without a reason")
        url = sent.url if sent else self._first.url
        asked = sent.cb_kwargs.get("asked") if sent else None
        async for request in self._next(await self.run.fail(error, url=url, request=asked)):
            yield request

    async def _next(self, following: Request | None) -> AsyncIterator[scrapy.Request]:
        request = await self._scrapy_request(following) if following is not None else None
        if request is not None:
            yield request

    async def _scrapy_request(self, asked: Request) -> scrapy.Request | None:
        try:
            return scrapy_request(asked, callback=self.read, errback=self.fail)
        except (TypeError, ValueError) as error:
            await self.run.fail(error, url=asked.url)
            return None
