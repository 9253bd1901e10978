"""What a refusal means for a run: the engine's word for its status, and what the spider reads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import structlog

from core.errors import DatabaseError
from crawlers.contract import Fetched, Request
from crawlers.engine.answers import refusal
from crawlers.engine.office import Office
from crawlers.engine.record import Begun
from crawlers.engine.signing import Signing
from crawlers.engine.verdict import Verdict, of_error
from crawlers.errors import CrawlError, DriftError, QuotaError

log = structlog.get_logger()


class Refusals:
    """Of the answers to one run."""

    def __init__(self, office: Office, begun: Begun, *, signing: Signing) -> None:
        self._office, self._begun, self._signing = office, begun, signing

    async def of_answer(self, request: Request, fetched: Fetched) -> Verdict | None:
        """The end of the run for an answer that the spider does not read."""
        clock, spider, config = self._office.clock, self._signing.spider, self._signing.config
        refused = refusal(fetched.status, fetched.headers, url=fetched.url, now=clock())
        if refused is None:
            return None
        try:
            said = await self._office.parse(
                self._begun.source_id, lambda: spider.explain(fetched, config)
            )
        except Exception as error:
            log.error("spider_broke", source=self._begun.slug, url=fetched.url, exc_info=error)
            return refused
        if said is None:
            return None if fetched.status in spider.read_statuses else refused
        told = await self.of_error(said, request)
        waits = [at for at in (told.not_before, refused.not_before) if at is not None]
        return replace(
            told,
            not_before=max(waits, default=None),
            starts_over=told.starts_over or refused.starts_over,
            is_wrong_address=refused.is_wrong_address,
        )

    async def of_error(self, error: CrawlError, request: Request) -> Verdict:
        """The end of the run for what the spider read in an answer."""
        if isinstance(error, QuotaError):
            with suppress(DatabaseError):  # it ends the run by itself
                error = await self._signing.close_quota(request, error)
        # A resumed page that makes no sense would make none for ever.
        return of_error(error, starts_over=isinstance(error, DriftError))
