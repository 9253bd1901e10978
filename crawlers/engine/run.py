"""The run of one source: decides after each answer what is kept and what comes next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import StatementError

from core.errors import DatabaseError
from core.types import RunOutcome
from crawlers.contract import NOTHING, Fetched, Page, Request, Secrets, Spider
from crawlers.engine.answers import silence
from crawlers.engine.aside import compare, note_aside
from crawlers.engine.memory import (
    conditional,
    resumed,
    spider_cursor,
    unconditional,
    validators,
)
from crawlers.engine.office import Office
from crawlers.engine.past import load_past
from crawlers.engine.profile import Profile, brings_nothing, garbled_in, with_page
from crawlers.engine.record import Begun, Stand, bury_page, finish, is_gone, keep_page
from crawlers.engine.refusals import Refusals
from crawlers.engine.revisit import Revisits
from crawlers.engine.signing import Signing
from crawlers.engine.skips import Skips, is_skippable
from crawlers.engine.suspicion import Earlier, spoils, weigh
from crawlers.engine.verdict import (
    NOTHING_CHANGED,
    ForbiddenError,
    Tally,
    Verdict,
    of_broken_run,
    of_capped_run,
    of_circle,
    of_error,
    of_garbled_run,
    of_late_run,
    of_repeated_page,
    of_unreadable_run,
    of_whole_run,
)
from crawlers.engine.way_on import dead_end
from crawlers.errors import CrawlError
from pipeline.presence import Walk

log = structlog.get_logger()


class Run:
    """One run, from its first request to its verdict."""

    def __init__(
        self,
        office: Office,
        begun: Begun,
        *,
        spider: Spider,
        config: Any,
        secrets: Secrets = NOTHING,
    ) -> None:
        self.office, self.begun = office, begun
        self.signing = Signing(
            office=office,
            source_id=begun.source_id,
            spider=spider,
            config=config,
            secrets=secrets,
            params=begun.params,
        )
        self.verdict: Verdict | None = None
        self.failure: DatabaseError | None = None  #: the run could not even be written down
        self.is_cancelled = False
        self.is_gone = False  #: its source was deleted meanwhile
        self.late = asyncio.Event()  #: its time is over: nothing more is fetched
        self._spider, self._config = spider, config
        self._cursor = spider_cursor(begun.cursor, made_for=begun.made_for)
        self._stand: Stand | None = None
        self._tally = Tally()
        self._profile = Profile()
        self._past: tuple[Earlier, ...] | None = None
        self._is_resumed = False
        self._asked: set[str] = set()
        self._walk: Walk | None = None
        self._refused = Refusals(office, begun, signing=self.signing)
        told = self._refused.of_error
        self.revisits = Revisits(
            office, begun, signing=self.signing, refusal=self._refused.of_answer, told=told
        )
        self._skips = Skips(office, begun, signing=self.signing)

    async def first_request(self) -> Request | None:
        """Where the run starts: at the top, or where a cut-off run stood."""
        left = resumed(self.begun.resume, made_for=self.begun.made_for)
        if left is not None:
            request, ahead = left
            seen = (self.begun.resume or {}).get("seen") or {}
            self._stand = Stand(following=request, ahead=ahead, seen=seen)
            self._is_resumed = True
            self._walk = Walk.stored((self.begun.resume or {}).get("walk"))
            return self._ask(request)
        if self._spider.is_gapless:
            self._walk = Walk(began_at=self.office.clock())
        try:
            request = await self.office.parse(
                self.begun.source_id,
                lambda: self._spider.start(self._config, cursor=self._cursor),
            )
        except CrawlError as error:
            await self._end(of_error(error))
            return None
        except Exception as error:
            await self._end(self._broken(error, url=""))
            return None
        return self._ask(conditional(request, self.begun.cursor, made_for=self.begun.made_for))

    async def read(self, request: Request, fetched: Fetched) -> Request | None:
        """Keep what an answer holds; return what to fetch next, None when there is nothing."""
        return await self._unbroken(self._read(request, fetched), url=fetched.url)

    async def _read(self, request: Request, fetched: Fetched) -> Request | None:
        if self.is_cancelled:
            return None
        if self.verdict is not None:
            is_open = self.revisits.is_open
            return await self.revisits.read(request, fetched) if is_open else None
        following = await self._read_page(request, fetched)
        if self.verdict is None or self.verdict.outcome is not RunOutcome.OK:
            return following
        left = self.office.settings.max_pages_per_run - self._tally.pages
        return await self.revisits.begin(pages=left)

    async def _read_page(self, request: Request, fetched: Fetched) -> Request | None:
        if fetched.status == 304 and self._stand is None:
            verdict = Verdict(outcome=RunOutcome.OK, reason=NOTHING_CHANGED)
            await self._end(verdict, is_weighed=True)
            return None
        refused = await self._refused.of_answer(request, fetched)
        if refused is not None:
            return await self._go_without(request, refused, status=fetched.status)
        try:
            page = await self.office.parse(self.begun.source_id, lambda: self._parse(fetched))
        except CrawlError as error:
            verdict = await self._refused.of_error(error, request)
            return await self._go_without(request, verdict)
        except Exception as error:
            verdict = self._broken(error, url=fetched.url)
            return await self._go_without(request, verdict, broken_page=fetched.url)
        self._skips.note_page()
        return await self._keep(request, fetched, page)

    async def _go_without(
        self, request: Request, verdict: Verdict, *, broken_page: str = "", status: int = 0,
        is_asked: bool = True,
    ) -> Request | None:  # fmt: skip
        """Go on without a page that cannot be had, if a list linked it; else end the run."""
        found: Page | Verdict = verdict
        if self._stand is not None:
            found = await self._skips.without(
                request, verdict, ahead=self._stand.ahead, status=status, is_asked=is_asked
            )
        if isinstance(found, Page):
            return await self._keep(request, self._skips.unanswered(request), found)
        await self._end(found, broken_page=broken_page)
        return None

    async def fail(
        self, error: BaseException, *, url: str, request: Request | None = None
    ) -> Request | None:
        """No answer came: end the run, or return what to fetch next without it."""
        return await self._unbroken(self._fail(error, url, request), url=url)

    async def _fail(
        self, error: BaseException, url: str, request: Request | None
    ) -> Request | None:
        settings = self.office.settings
        if self.is_cancelled:
            return None
        if self.verdict is not None:
            if self.revisits.is_open:
                await self.revisits.fail(error, url=url)
            return None
        if self.late.is_set():
            await self._end_late()
            return None
        if isinstance(error, DatabaseError):
            self.failure = error
            return None
        verdict = silence(
            self.office.explained(error, url),
            url=url,
            timeout=settings.timeout_seconds,
            limit=settings.max_body_bytes,
        )
        if request is None or not is_skippable(error):
            await self._end(verdict)
            return None
        is_asked = not isinstance(error, ForbiddenError)
        return await self._go_without(request, verdict, is_asked=is_asked)

    async def close(self) -> None:
        """Leave no run without a verdict, whatever became of its requests."""
        if self.verdict is not None or self.failure is not None:
            return
        if self.is_cancelled or self.is_gone:
            return
        if self.late.is_set():
            await self._end_late()
            return
        await self._end(
            Verdict(outcome=RunOutcome.ERROR, reason="the request was dropped on its way")
        )

    def _parse(self, fetched: Fetched) -> Page:
        ahead = self._cursor if self._stand is None else self._stand.ahead
        page = self._spider.parse(fetched, self._config, cursor=self._cursor, ahead=ahead)
        return self.signing.public(page)

    async def _keep(self, request: Request, fetched: Fetched, page: Page) -> Request | None:
        ended = dead_end(page, guard=self.office.guard)
        if ended is not None:
            page = replace(page, next=None)
        is_first = self._stand is None
        seen = validators(request, fetched.headers) if is_first else self._seen()
        stand = Stand(following=page.next, ahead=page.ahead, seen=seen, walk=self._walk)
        profile = with_page(
            self._profile,
            page,
            promise=self._spider.promise,
            fetched_at=fetched.fetched_at,
            key=_key(request),
        )
        now = self.office.clock()
        try:
            self._tally, self.verdict, self._walk = await self.office.write(
                lambda session: self._write(
                    session, fetched, page, stand, profile, ended=ended, now=now
                )
            )
        except DatabaseError as error:
            self.failure = error
            return None
        self._stand, self._profile = stand, profile
        if self.verdict is not None or page.next is None:
            return None
        return self._ask(page.next)

    def _write(
        self,
        session: Any,
        fetched: Fetched,
        page: Page,
        stand: Stand,
        profile: Profile,
        *,
        ended: Verdict | None,
        now: datetime,
    ) -> tuple[Tally, Verdict | None, Walk | None]:
        """All that a page changes, in one transaction that may be done again."""
        before, past = self._tally, self._known_past(session)
        garbled = garbled_in(page.posts)
        if spoils(garbled, len(page.posts), past):
            spoilt = of_garbled_run(garbled, len(page.posts))
            finish(session, self.begun, spoilt, tally=before, stand=self._stand, now=now)
            return before, spoilt, None
        kept = keep_page(session, self.begun, page, stand=stand, now=now)
        note_aside(
            session,
            self.begun,
            page,
            kept,
            fetched=fetched,
            office=self.office,
            signing=self.signing,
            now=now,
        )
        walk = stand.walk and stand.walk.past(kept.dated)
        tally = before.with_page(page, kept)
        verdict = ended or self._verdict(page, tally)
        if brings_nothing(page, before=self._profile, after=profile):
            verdict = of_repeated_page(fetched.url)
        if verdict is not None:
            verdict = self._finish_weighed(session, verdict, profile, tally, stand, now=now)
            compare(session, self.begun, verdict, walk, spider=self._spider, now=now)
        return tally, verdict, walk

    def _verdict(self, page: Page, tally: Tally) -> Verdict | None:
        """How the run ends with this page; None while it goes on."""
        if page.next is None:
            return of_whole_run(tally, is_resumed=self._is_resumed)
        if _key(page.next) in self._asked:
            return of_circle(page.next.url)
        if tally.is_hopeless:
            return of_unreadable_run(tally)  # the pages behind it would be no better
        is_last = tally.pages >= self.office.settings.max_pages_per_run
        return of_capped_run(tally) if is_last else None

    def _finish_weighed(
        self,
        session: Any,
        verdict: Verdict,
        profile: Profile,
        tally: Tally,
        stand: Stand | None,
        *,
        now: datetime,
    ) -> Verdict:
        """Close the run, after a look at what it promised and at how its source used to be."""
        past, promise = self._known_past(session), self._spider.promise
        weighed, stored = weigh(verdict, profile, promise=promise, past=past, now=now)
        weighed = self._skips.explained(weighed, tally)
        finish(session, self.begun, weighed, tally=tally, stand=stand, now=now, profile=stored)
        return weighed

    def _known_past(self, session: Any) -> tuple[Earlier, ...]:
        if self._past is None:
            self._past = load_past(session, self.begun)
        return self._past

    def _seen(self) -> dict[str, str]:
        return dict(self._stand.seen) if self._stand is not None else {}

    def _ask(self, request: Request) -> Request:
        self._asked.add(_key(request))
        return request

    async def _unbroken(
        self, work: Coroutine[Any, Any, Request | None], *, url: str
    ) -> Request | None:
        """Do ``work``; that the database refuses a page, or a bug of ours, is the run's end."""
        try:
            return await work
        except Exception as error:
            try:
                await self._end_unkept(error, url=url)
            except DatabaseError as away:
                self.failure = away
            return None

    async def _end_unkept(self, error: Exception, *, url: str) -> None:
        source_id = self.begun.source_id
        self.is_gone = await self.office.write(lambda session: is_gone(session, source_id))
        if self.is_gone:
            return
        if isinstance(error, StatementError):
            error.hide_parameters = True  # they are whole texts
        log.error("crawl_broke", source=self.begun.slug, url=url, exc_info=error)
        if self.verdict is None:
            await self._end(of_broken_run(error, url=url), broken_page=url)

    def _broken(self, error: Exception, *, url: str) -> Verdict:
        """A spider that raises what it should not has met a page that it does not know."""
        reason = f"the spider broke on {url or 'its settings'}: {type(error).__name__}: {error}"
        log.error("spider_broke", source=self.begun.slug, url=url, exc_info=error)
        return Verdict(outcome=RunOutcome.DRIFT, reason=reason[:2000], starts_over=True)

    async def _end_late(self) -> None:
        seconds = self.office.settings.run_timeout_seconds
        await self._end(of_late_run(self._tally, seconds=seconds))

    async def _end(
        self, verdict: Verdict, *, broken_page: str = "", is_weighed: bool = False
    ) -> None:
        now = self.office.clock()
        verdict = replace(verdict, reason=self.signing.hidden(verdict.reason))

        def write(session: Any) -> Verdict:
            if is_weighed:
                profile, tally, stand = self._profile, self._tally, self._stand
                return self._finish_weighed(session, verdict, profile, tally, stand, now=now)
            if broken_page:
                reason = verdict.reason
                bury_page(session, self.begun, url=broken_page, reason=reason, now=now)
            finish(session, self.begun, verdict, tally=self._tally, stand=self._stand, now=now)
            return verdict

        try:
            self.verdict = await self.office.write(write)
        except DatabaseError as error:
            self.failure = error


def _key(request: Request) -> str:
    return json.dumps(asdict(unconditional(request)), sort_keys=True, default=str)
