"""Whether a post is still on its source: there, missing, or gone; pure.

A whole run of a source whose lists have no gaps shows what is absent: posts of the time that the
run read which it did not meet. Such a post is *missing*, and only asking again makes it *gone*.
What is older than the oldest post that was read has aged out of the list, which says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.types import GoneReason, PublishedQuality

#: A second run that lacks a missing post confirms that it is gone, if it comes so much later.
CONFIRMED_AFTER = timedelta(hours=3)
#: How much later than its stamp a post may be: the end of its day.
_SPAN = {
    PublishedQuality.EXACT.value: timedelta(),
    PublishedQuality.DAY.value: timedelta(days=1, microseconds=-1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What one reading of a list has covered so far, over all its pages and runs."""

    began_at: datetime
    oldest: datetime | None = None  #: nothing that was read can be older
    newest: datetime | None = None
    seen: int = 0  #: posts of a known time

    def past(self, dated: Iterable[tuple[datetime | None, str]]) -> Walk:
        """The walk after a page with posts of these times and qualities, as they are kept."""
        known = [(at, _SPAN[quality]) for at, quality in dated if at and quality in _SPAN]
        if not known:
            return self
        oldest = min(at + span for at, span in known)
        newest = max(at for at, _ in known)
        return replace(
            self,
            oldest=min(oldest, self.oldest or oldest),
            newest=max(newest, self.newest or newest),
            seen=self.seen + len(known),
        )

    def to_store(self) -> dict[str, Any]:
        """As JSON."""
        times = {"began_at": self.began_at, "oldest": self.oldest, "newest": self.newest}
        return {name: at and at.isoformat() for name, at in times.items()} | {"seen": self.seen}

    @classmethod
    def stored(cls, value: object) -> Walk | None:
        """Read ``to_store``; None when it is nothing of the kind."""
        if not isinstance(value, Mapping):
            return None
        try:
            return cls(
                began_at=datetime.fromisoformat(value["began_at"]),
                oldest=_moment(value["oldest"]),
                newest=_moment(value["newest"]),
                seen=int(value["seen"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A kept post that a whole walk should have met and did not."""

    id: int
    missing_since: datetime | None
    can_ask: bool = False  #: whether the site can be asked for this one; then its answer decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk says of the absent."""

    missing: tuple[int, ...] = ()  #: absent for the first time
    waiting: tuple[int, ...] = ()  #: missing before, and not for long enough
    gone: tuple[int, ...] = ()
    is_believed: bool = True  #: false: more posts are absent than there, which no site does


def of_absent(absent: Iterable[Absent], *, walk: Walk, now: datetime) -> Verdict:
    """Decide about the absent of one walk.

    A list that lost most of its posts is a broken list, and nobody is missing from it.
    """
    found = list(absent)
    if len(found) > walk.seen:
        return Verdict(is_believed=False)
    before = [one for one in found if one.missing_since is not None]
    return Verdict(
        missing=tuple(one.id for one in found if one.missing_since is None),
        waiting=tuple(one.id for one in before if not _is_gone(one, now=now)),
        gone=tuple(one.id for one in before if _is_gone(one, now=now)),
    )


def gone_reason(extra: Mapping[str, Any]) -> GoneReason:
    """A case that its firm has resolved and that disappears was taken away as settled."""
    case = extra.get("case")
    status = case.get("status") if isinstance(case, Mapping) else None
    is_settled = isinstance(status, str) and status.strip().casefold() == "resolved"
    return GoneReason.REMOVED_AFTER_RESOLUTION if is_settled else GoneReason.DELETED


def _is_gone(one: Absent, *, now: datetime) -> bool:
    since = one.missing_since
    return since is not None and not one.can_ask and now - since >= CONFIRMED_AFTER


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
