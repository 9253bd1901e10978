"""After a run: posts whose time has come are asked for by themselves, within the run's pages.

They take the same way as pages: robots.txt, turns, credentials and quotas hold for them. A site
that does not answer them as it should spoils nothing; they are put off. One post that is refused
keeps no other from being asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.errors import DatabaseError
from core.models import CrawlRun
from core.types import RunOutcome
from crawlers.contract import Fetched, KnownPost, Page, Request, Spider
from crawlers.engine.aside import can_ask, keep_evidence
from crawlers.engine.office import Office
from crawlers.engine.record import Begun, bury_page, bury_problems
from crawlers.engine.signing import Signing
from crawlers.engine.verdict import Verdict
from crawlers.errors import CrawlError
from pipeline.ingest import keep
from pipeline.presence_rows import note_missing, remove
from pipeline.revisit_rows import Due, find_due, give_up, note_visit, put_off

log = structlog.get_logger()
#: Answers of a site that say that what was asked for is not there.
_GONE = frozenset({404, 410})
#: … that it does not give what was asked for; as a trouble of its own does.
_WITHHELD = frozenset({401, 403, 451})
#: So many in a row that were refused are no matter of a single post.
_MOST_REFUSED = 3
#: So many posts do not go at once without a list that lacked them: the answer is rather broken.
_TOO_MANY = 3

Refusal = Callable[[Request, Fetched], Awaitable[Verdict | None]]
Told = Callable[[CrawlError, Request], Awaitable[Verdict]]


class Revisits:
    """The visits after one run."""

    def __init__(
        self, office: Office, begun: Begun, *, signing: Signing, refusal: Refusal, told: Told
    ) -> None:
        self.is_open = False
        self._office, self._begun, self._signing = office, begun, signing
        self._spider: Spider = signing.spider
        self._config: Any = signing.config
        self._refusal, self._told = refusal, told
        self._batches: list[list[Due]] = []
        self._asked: list[Due] = []
        self._left = self._refused_in_a_row = 0

    async def begin(self, *, pages: int) -> Request | None:
        """The first visit, if any is due; at most ``pages`` are made."""
        if not can_ask(self._spider) or pages <= 0:
            return None
        size, now = max(1, self._spider.recheck_size), self._office.clock()
        source_id = self._begun.source_id
        due = await self._write(
            lambda session: find_due(session, source_id=source_id, limit=size * pages, now=now)
        )
        if not due:
            return None
        self.is_open, self._left = True, pages
        self._batches = [due[at : at + size] for at in range(0, len(due), size)]
        return await self._following()

    async def _following(self) -> Request | None:
        while self._batches and self._left > 0:
            self._asked = self._batches.pop(0)
            try:
                request = await self._recheck(_known(self._asked))
            except CrawlError as error:
                await self._stop(str(error))
                return None
            except Exception as error:
                await self._broken(error, url="")
                return None
            if request is not None:
                self._left -= 1
                return request
            await self._give_up([one.id for one in self._asked])
        self.is_open = False
        return None

    async def _recheck(self, known: list[KnownPost]) -> Request | None:
        return await self._office.parse(
            self._begun.source_id, lambda: self._spider.recheck(self._config, known)
        )

    async def _give_up(self, ids: list[int]) -> None:
        await self._write(lambda session: give_up(session, ids))

    async def read(self, request: Request, fetched: Fetched) -> Request | None:
        """Keep what the site says of the posts asked for; return the next visit."""
        refused = None if fetched.status in _GONE else await self._refusal(request, fetched)
        if refused is not None:
            return await self._go_without(refused, status=fetched.status)
        known = _known(self._asked)
        try:
            page = await self._office.parse(
                self._begun.source_id,
                lambda: self._spider.parse_recheck(fetched, self._config, known),
            )
        except CrawlError as error:
            told = await self._told(error, request)
            return await self._go_without(told, status=fetched.status)
        except Exception as error:
            await self._broken(error, url=fetched.url)
            return None
        self._refused_in_a_row = 0
        now = self._office.clock()
        is_kept = await self._write(lambda session: self._keep(session, page, fetched, now=now))
        return await self._following() if is_kept else None

    async def _go_without(self, refused: Verdict, *, status: int) -> Request | None:
        """Count a visit without an answer and go on, if it is a matter of one post; else stop."""
        self._refused_in_a_row += 1
        is_enough = self._refused_in_a_row >= _MOST_REFUSED
        if is_enough or not self._is_of_one_post(refused, status):
            await self._stop(refused.reason)
            return None
        ids, now = [one.id for one in self._asked], self._office.clock()

        def write(session: Session) -> bool:
            note_visit(session, ids, now=now)
            return True

        return await self._following() if await self._write(write) else None

    def _is_of_one_post(self, refused: Verdict, status: int) -> bool:
        is_credential = refused.outcome is RunOutcome.AUTH and bool(self._spider.secrets)
        is_limit = refused.outcome is RunOutcome.QUOTA or refused.not_before is not None
        is_refusal = status in _WITHHELD or status >= 500
        is_alone = self._spider.recheck_size == 1
        return is_alone and is_refusal and not is_credential and not is_limit

    async def fail(self, error: BaseException, *, url: str) -> None:
        """End the visits: no answer came."""
        await self._stop(f"{type(self._office.explained(error, url)).__name__} ({url})")

    def _keep(self, session: Session, page: Page, fetched: Fetched, *, now: datetime) -> bool:
        begun, source_id = self._begun, self._begun.source_id
        page = self._signing.public(page)
        kept = keep(session, page.posts, source_id=source_id, crawl_run_id=begun.run_id, now=now)
        bury_problems(session, begun, page.problems, now=now)
        doubted = _doubted(self._asked, page)
        note_missing(session, [one.id for one in doubted], now=now)
        known = {one.external_id for one in doubted}
        gone = [one for one in page.gone if one not in known]
        remove(session, gone, source_id=source_id, now=now)
        keep_evidence(
            session, begun, kept, fetched=fetched, office=self._office, signing=self._signing
        )
        note_visit(session, [one.id for one in self._asked], now=now)
        visited = func.coalesce(CrawlRun.coverage["revisited"].as_integer(), 0) + len(self._asked)
        session.execute(
            update(CrawlRun)
            .where(CrawlRun.id == begun.run_id)
            .values(
                pages=CrawlRun.pages + 1,
                posts_changed=CrawlRun.posts_changed + kept.changed,
                coverage=CrawlRun.coverage.concat(
                    func.jsonb_build_object("revisited", visited, type_=JSONB)
                ),
            )
        )
        return True

    async def _stop(self, reason: str) -> None:
        """Leave those just asked for alone for a while; the others are due at the next run."""
        self.is_open = False
        ids, now = [one.id for one in self._asked], self._office.clock()
        log.warning(
            "revisits_stopped", source=self._begun.slug, reason=self._signing.hidden(reason)
        )
        await self._write(lambda session: put_off(session, ids, now=now))

    async def _broken(self, error: Exception, *, url: str) -> None:
        reason = f"the spider broke on a revisit: {type(error).__name__}: {error}"[:2000]
        log.error("spider_broke", source=self._begun.slug, url=url, exc_info=error)
        now, hidden = self._office.clock(), self._signing.hidden(reason)
        await self._write(
            lambda session: bury_page(session, self._begun, url=url, reason=hidden, now=now)
        )
        await self._stop(reason)

    async def _write(self, work: Callable[[Session], Any]) -> Any:
        """What ``work`` returns; None when the database was away for too long, which ends it."""
        try:
            return await self._office.write(work)
        except DatabaseError as error:
            self.is_open = False
            log.warning("revisits_stopped", source=self._begun.slug, reason=str(error))
            return None


def _doubted(asked: list[Due], page: Page) -> list[Due]:
    """Those that no list lacked before, where an answer knows none of several posts."""
    gone = {*page.gone}
    is_all = len(asked) >= _TOO_MANY and all(one.external_id in gone for one in asked)
    return [one for one in asked if not one.is_missing] if is_all else []


def _known(due: list[Due]) -> list[KnownPost]:
    return [KnownPost(external_id=d.external_id, url=d.url, extra=d.extra) for d in due]
