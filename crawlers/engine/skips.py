"""A page that a list links cannot be had: the run goes on without it, up to a point.

Behind it wait others, and each run would end at it anew. What is no matter of the page alone ends
the run all the same: a list, a host in trouble, a credential, a limit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import structlog

from core.types import RunOutcome
from crawlers.contract import Cursor, Fetched, Page, Request
from crawlers.engine.office import Office
from crawlers.engine.record import Begun
from crawlers.engine.signing import Signing
from crawlers.engine.verdict import ForbiddenError, Tally, Verdict
from crawlers.errors import CrawlError

log = structlog.get_logger()
#: So many in a row that one host did not give are no accident.
MOST_IN_A_ROW: Final = 3
_TOO_MANY_REQUESTS = 429


class Skips:
    """The pages that one run goes on without."""

    def __init__(self, office: Office, begun: Begun, *, signing: Signing) -> None:
        self._office, self._begun, self._signing = office, begun, signing
        self._host, self._in_a_row = "", 0
        self._last: Verdict | None = None

    async def without(
        self, request: Request, verdict: Verdict, *, ahead: Cursor, status: int = 0,
        is_asked: bool = True,
    ) -> Page | Verdict:  # fmt: skip
        """What stands in for a page: one that goes on without it, else the end of the run.

        ``verdict`` is what the page would end the run with; ``is_asked`` whether its host was
        asked for it, and so may be the one in trouble.
        """
        if not self._is_of_one_page(verdict, status):
            return verdict
        page = await self._said(request, verdict, ahead=ahead)
        if page is None:
            return verdict
        if is_asked and self._is_enough(request):
            # The next run goes on at this page: those before it have had their try.
            return replace(verdict, starts_over=False, goes_on=True, is_wrong_address=False)
        self._last = verdict
        return page

    def note_page(self) -> None:
        """A page was had."""
        self._in_a_row = 0

    def explained(self, weighed: Verdict, tally: Tally) -> Verdict:
        """The end of a run that had none of its linked pages, with why not."""
        if self._last is None or tally.seen or not weighed.is_suspicion:
            return weighed
        reason = f"{weighed.reason}: {self._last.reason}"
        return replace(weighed, outcome=self._last.outcome, reason=reason)

    def unanswered(self, request: Request) -> Fetched:
        """In the place of an answer."""
        now = self._office.clock()
        return Fetched(url=request.url, status=0, headers={}, body=b"", fetched_at=now)

    def _is_of_one_page(self, verdict: Verdict, status: int) -> bool:
        is_credential = verdict.outcome is RunOutcome.AUTH and bool(self._signing.spider.secrets)
        is_limit = verdict.outcome is RunOutcome.QUOTA or status == _TOO_MANY_REQUESTS
        return not is_credential and not is_limit and verdict.not_before is None

    def _is_enough(self, request: Request) -> bool:
        host = urlsplit(request.url).hostname or ""
        self._in_a_row = self._in_a_row + 1 if host == self._host else 1
        self._host = host
        return self._in_a_row >= MOST_IN_A_ROW

    async def _said(self, request: Request, verdict: Verdict, *, ahead: Cursor) -> Page | None:
        spider, config = self._signing.spider, self._signing.config
        try:
            page = await self._office.parse(
                self._begun.source_id,
                lambda: spider.skip(request, config, reason=verdict.reason, ahead=ahead),
            )
        except Exception as error:
            log.error("spider_broke", source=self._begun.slug, url=request.url, exc_info=error)
            return None
        return self._signing.public(page) if page is not None else None


def is_skippable(error: BaseException) -> bool:
    """Whether a request without an answer may be a matter of its page alone."""
    return not isinstance(error, CrawlError) or isinstance(error, ForbiddenError)
