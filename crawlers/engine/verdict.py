"""How a run ends, and why, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.clean import clean
from core.public_address import shown_words
from core.types import RunOutcome
from crawlers.contract import Page
from crawlers.errors import BlockedError, CrawlError, QuotaError
from pipeline.ingest import Kept

#: Outcomes that stretch the pause of a source. A search without a hit is no failure of it.
_GOOD = frozenset({RunOutcome.OK, RunOutcome.EMPTY})

_HOPELESS = 3
_LONGEST_REASON = 4_000
#: The reason of a run whose site says that it has nothing new.
NOTHING_CHANGED = "nothing has changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one run of one source ended; its reason shows no address with what may be secret."""

    outcome: RunOutcome
    reason: str
    not_before: datetime | None = None  #: the site asked not to come back earlier
    is_whole: bool = False  #: every page down to the cursor was read, so the cursor moves
    starts_over: bool = False  #: where the run stood is of no use; the next starts at the top
    goes_on: bool = False  #: it came further, so where it stood is no page that always fails
    is_wrong_address: bool = False  #: nothing is there: no such page, or no such host
    is_suspicion: bool = False  #: all was read and looks odd: told, and hardly left alone longer

    def __post_init__(self) -> None:
        # It quotes what a site says, which may be long and hold what no database takes.
        object.__setattr__(self, "reason", clean(shown_words(self.reason[:_LONGEST_REASON])))

    @property
    def is_failure(self) -> bool:
        """Whether the source should be left alone for longer."""
        if self.outcome is RunOutcome.QUOTA and self.not_before is not None:
            return False  # nothing is wrong with it, and it is known when it goes on
        return self.outcome not in _GOOD


class WaitError(CrawlError):
    """The site asked to be left alone until a time."""

    def __init__(self, reason: str, *, until: datetime, is_limit: bool = False) -> None:
        super().__init__(reason)
        self.until = until
        if is_limit:
            self.outcome = RunOutcome.QUOTA


class ForbiddenError(BlockedError):
    """The site's robots.txt forbids an address; asked for again, it would forbid it again."""


class EndedError(CrawlError):
    """The run is over, with a verdict that was found before an answer for it came."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run has read so far."""

    pages: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    dead: int = 0  #: posts and items that became dead letters …
    apart: int = 0  #: … of these, on pages of a single post
    announced: int | None = None  #: how many items the first page that said so announced

    def with_page(self, page: Page, kept: Kept) -> Tally:
        """The tally after one more page."""
        announced = page.announced if self.announced is None else self.announced
        dead = kept.dead + len(page.problems)
        return Tally(
            pages=self.pages + 1,
            seen=self.seen + len(page.posts),
            new=self.new + kept.new,
            changed=self.changed + kept.changed,
            dead=self.dead + dead,
            apart=self.apart + (dead if page.is_single else 0),
            announced=announced,
        )

    @property
    def is_unreadable(self) -> bool:
        """Whether pages listed items, and none of them was a post."""
        return self.seen == 0 and self.dead > self.apart

    @property
    def is_hopeless(self) -> bool:
        """Whether so many items were none that the next pages would be no better.

        One page that cannot be read must not keep those that a list named after it from it.
        """
        return self.is_unreadable and self.dead >= _HOPELESS


def of_error(error: CrawlError, *, starts_over: bool = False) -> Verdict:
    """The end of a run that an error of ours cut short."""
    if isinstance(error, EndedError):
        return error.verdict
    return Verdict(
        outcome=error.outcome,
        reason=str(error) or type(error).__name__,
        not_before=error.until if isinstance(error, WaitError | QuotaError) else None,
        starts_over=starts_over or isinstance(error, ForbiddenError),
        goes_on=isinstance(error, WaitError),  # the page was not even asked for
    )


def of_whole_run(tally: Tally, *, is_resumed: bool) -> Verdict:
    """The end of a run that read every page: did it find what the site says there is?"""
    if tally.is_unreadable:
        return of_unreadable_run(tally)
    outcome, reason = RunOutcome.OK, f"{_count(tally.seen, 'post')}, {tally.new} new"
    if tally.apart:
        reason += f"; {_count(tally.apart, 'page')} could not be read"
    elif tally.seen == 0 and (tally.announced == 0 or is_resumed):
        reason = "nothing more" if is_resumed else "the site says that there is nothing"
    elif tally.seen == 0:
        outcome, reason = RunOutcome.EMPTY, "no post on the page"
    return Verdict(outcome=outcome, reason=reason, is_whole=True)


def of_unreadable_run(tally: Tally) -> Verdict:
    """The end of a run that met items and no post; resumed there, it would end so for ever."""
    reason = f"none of {_count(tally.dead, 'item')} could be read"
    return Verdict(outcome=RunOutcome.DRIFT, reason=reason, starts_over=True)


def of_broken_run(error: Exception, *, url: str) -> Verdict:
    """The end of a run at a page that could not be kept; words of the database, never texts."""
    said = getattr(error, "orig", None) or error  # SQLAlchemy's own words repeat the values
    words = (str(said).strip().splitlines() or [""])[0]
    reason = f"the page could not be kept: {type(error).__name__}: {words[:300]} ({url})"
    return Verdict(outcome=RunOutcome.ERROR, reason=reason)


def of_garbled_run(garbled: int, posts: int) -> Verdict:
    """The end of a run at a page that is not kept: each known post on it would seem edited."""
    reason = f"{garbled} of {_count(posts, 'text')} on a page are garbled: the charset is wrong"
    return Verdict(outcome=RunOutcome.DRIFT, reason=reason, starts_over=True)


def of_repeated_page(url: str) -> Verdict:
    """The end of a run at a page whose posts had all come before: so would all behind it."""
    reason = f"each post of this page stood on an earlier one: pages repeat each other ({url})"
    return Verdict(outcome=RunOutcome.DRIFT, reason=reason, starts_over=True)


def of_capped_run(tally: Tally) -> Verdict:
    """The end of a run at the limit of pages; where it stood is remembered."""
    return Verdict(
        outcome=RunOutcome.OK,
        reason=f"stopped after {_count(tally.pages, 'page')}; the next run goes on from there",
    )


def of_circle(url: str) -> Verdict:
    """The end of a run whose next page is one that it has read."""
    return Verdict(
        outcome=RunOutcome.DRIFT,
        reason=f"the next page is one that was read already ({url})",
        starts_over=True,
    )


def of_late_run(tally: Tally, *, seconds: float) -> Verdict:
    """The end of a run whose time was over; where it stood is remembered."""
    return Verdict(
        outcome=RunOutcome.ERROR,
        reason=f"took longer than {seconds:g} s; the next run goes on from where it stood",
        goes_on=tally.pages > 0,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
