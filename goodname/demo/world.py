"""What can be seen on the sites at this moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from goodname.demo.names import Names
from goodname.demo.outages import Outage
from goodname.demo.posts import Site
from goodname.demo.timeline import Entry

Clock = Callable[[], datetime]  #: aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One step of a case that has been taken."""

    at: datetime
    status: str
    firm: str | None
    customer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One post as its site shows it now."""

    entry: Entry
    title: str
    text: str
    rating: int
    published_at: datetime
    edited_at: datetime | None
    reply: str | None
    replied_at: datetime | None
    steps: tuple[ShownStep, ...] = ()  #: of its case so far

    @property
    def id(self) -> str:
        """The site's own id."""
        return self.entry.external_id

    @property
    def paragraphs(self) -> list[str]:
        """The text as its author broke it."""
        return [part.strip() for part in self.text.split("\n\n") if part.strip()]

    @property
    def changed_at(self) -> datetime:
        """The last time at which its page became different."""
        moments = (self.published_at, self.edited_at, self.replied_at)
        return max(filter(None, (*moments, *(step.at for step in self.steps))))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The invented internet, a function of the clock."""

    names: Names
    entries: tuple[Entry, ...]
    started_at: datetime
    clock: Clock
    speed: float = 1.0  #: seconds of the script in one second of the clock
    outages: tuple[Outage, ...] = ()

    def shown(self, site: Site) -> list[Shown]:
        """The posts that stand on ``site`` now, newest first."""
        elapsed = self._elapsed()
        there = [e for e in self.entries if e.site is site and self._stands(e, elapsed)]
        return [self._show(entry, elapsed) for entry in reversed(there)]

    def find(self, site: Site, external_id: str) -> Shown | None:
        """One post that stands on ``site`` now."""
        return next((post for post in self.shown(site) if post.id == external_id), None)

    def is_gone(self, site: Site, external_id: str) -> bool:
        """Whether this post stood there once and was deleted."""
        elapsed = self._elapsed()
        return any(
            e.site is site and e.external_id == external_id and _is_past(e.deleted_at, elapsed)
            for e in self.entries
        )

    def history(self) -> list[dict[str, object]]:
        """Everything published so far, with its state; for tests and people, not for crawlers."""
        elapsed = self._elapsed()
        return [self._record(entry, elapsed) for entry in self.entries if entry.at <= elapsed]

    def changed_at(self, site: Site) -> datetime:
        """When a list on ``site`` last changed."""
        elapsed = self._elapsed()
        moments = [
            moment
            for entry in self.entries
            if entry.site is site
            for moment in entry.moments
            if moment <= elapsed
        ]
        return self._moment(max(moments)) if moments else self.started_at

    def is_finished(self) -> bool:
        """Whether every text of the pool has been told and no site will shut any more."""
        elapsed = self._elapsed()
        is_told = all(moment <= elapsed for entry in self.entries for moment in entry.moments)
        return is_told and all(outage.until <= elapsed for outage in self.outages)

    def is_shut(self, site: Site) -> bool:
        """Whether ``site`` shows a wall to everybody just now."""
        elapsed = self._elapsed()
        return any(one.site is site and one.since <= elapsed < one.until for one in self.outages)

    def _elapsed(self) -> float:
        return (self.clock() - self.started_at).total_seconds() * self.speed

    def _moment(self, at: float) -> datetime:
        """The past is not hurried: only what comes after the start follows the speed."""
        return self.started_at + timedelta(seconds=at if at < 0 else at / self.speed)

    def _stands(self, entry: Entry, elapsed: float) -> bool:
        return entry.at <= elapsed and not _is_past(entry.deleted_at, elapsed)

    def _show(self, entry: Entry, elapsed: float) -> Shown:
        text = entry.text
        edited = text.edited if _is_past(entry.edited_at, elapsed) else None
        answered = _is_past(entry.reply_at, elapsed)
        body = self._fill(edited.text if edited else text.text, entry)
        title = (edited.title if edited else None) or text.title
        return Shown(
            entry=entry,
            title=self._fill(title, entry) if title else opening(body),
            text=body,
            rating=(edited.rating if edited else None) or entry.rating,
            published_at=self._moment(entry.at),
            edited_at=self._moment(edited.at) if edited else None,
            reply=self._fill(text.reply, entry) if text.reply and answered else None,
            replied_at=self._moment(entry.reply_at) if entry.reply_at and answered else None,
            steps=tuple(self._steps(entry, elapsed)),
        )

    def _steps(self, entry: Entry, elapsed: float) -> Iterator[ShownStep]:
        for step in entry.text.case:
            if step.at <= elapsed:
                yield ShownStep(
                    at=self._moment(step.at),
                    status=step.status,
                    firm=self._fill(step.firm, entry) if step.firm else None,
                    customer=self._fill(step.customer, entry) if step.customer else None,
                )

    def _fill(self, text: str, entry: Entry) -> str:
        return self.names.fill(text, language=entry.text.lang).strip()

    def _record(self, entry: Entry, elapsed: float) -> dict[str, object]:
        post = self._show(entry, elapsed)
        state = "edited" if post.edited_at else "visible"
        if _is_past(entry.deleted_at, elapsed):
            state = "deleted"
        edited = entry.text.edited if post.edited_at else None
        return {
            "site": entry.site.value,
            "external_id": entry.external_id,
            "key": entry.text.key,
            "role": entry.text.role.value,
            "state": state,
            "language": entry.text.lang,
            "about": entry.text.about.value,
            "severity": (edited.severity if edited else None) or entry.text.severity,
            "title": post.title,
            "text": post.text,
            "first_text": self._fill(entry.text.text, entry),
            "published_at": post.published_at.isoformat(),
            "edited_at": post.edited_at.isoformat() if post.edited_at else None,
        }


def opening(text: str, *, words: int = 6) -> str:
    """A title for a text that has none: its first words, as review sites do."""
    first: Sequence[str] = text.split()
    if len(first) <= words:
        return " ".join(first)
    return " ".join(first[:words]).rstrip(",.;:–-") + "…"


def _is_past(moment: float | None, elapsed: float) -> bool:
    return moment is not None and moment <= elapsed
