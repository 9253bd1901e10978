"""Keep posts at once, before anybody judges them: a crash later loses none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.exc import DataError, DBAPIError, StatementError
from sqlalchemy.orm import Session

from core.queue import defer_judging
from core.types import DeliveryEvent, Post
from pipeline.changes import Change, Known, Sighting, change, first_change, sightings
from pipeline.dead_letters import bury
from pipeline.errors import UnstorableError
from pipeline.post_rows import (
    find_keys,
    insert_new,
    load_known,
    note_told,
    write_change,
    write_gone,
)
from pipeline.storable import Storable, storable
from pipeline.updates import tell_gone, tell_of_mentions


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a batch; the ids are of distinct posts, ``dead`` counts those refused."""

    new_ids: tuple[int, ...] = ()
    changed_ids: tuple[int, ...] = ()  #: edited, deleted or there again
    unchanged_ids: tuple[int, ...] = ()  #: perhaps with other counters
    dead: int = 0
    #: When those that are there were published, and how exactly, as it is kept.
    dated: tuple[tuple[datetime | None, str], ...] = ()

    @property
    def new(self) -> int:
        """Posts never seen before."""
        return len(self.new_ids)

    @property
    def changed(self) -> int:
        """Posts that say something else than before, or are gone or back."""
        return len(self.changed_ids)

    @property
    def unchanged(self) -> int:
        """Posts seen again as they were."""
        return len(self.unchanged_ids)

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            new_ids=self.new_ids + other.new_ids,
            changed_ids=self.changed_ids + other.changed_ids,
            unchanged_ids=self.unchanged_ids + other.unchanged_ids,
            dead=self.dead + other.dead,
            dated=self.dated + other.dated,
        )


def keep(
    session: Session,
    posts: Sequence[Post],
    *,
    source_id: int,
    crawl_run_id: int | None,
    now: datetime,
) -> Kept:
    """Write a batch and ask for its judgement in the same transaction; the caller commits.

    The same batch twice changes nothing. A post that no row can hold becomes a dead letter, and
    the others are kept.
    """
    desk = _Desk(session=session, source_id=source_id, crawl_run_id=crawl_run_id, now=now)
    prepared, refused = _prepare(desk, posts)
    batch = sightings(prepared)
    try:
        with session.begin_nested():
            kept, to_judge = _write(desk, batch)
    except (StatementError, ValueError) as error:
        if not is_of_content(error):
            raise
        kept, to_judge = _write_singly(desk, batch)
    defer_judging(session, to_judge)
    return kept + Kept(dead=refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    session: Session
    source_id: int
    crawl_run_id: int | None
    now: datetime


def _prepare(desk: _Desk, posts: Sequence[Post]) -> tuple[list[Storable], int]:
    prepared: list[Storable] = []
    for post in posts:
        try:
            prepared.append(storable(post, now=desk.now))
        except UnstorableError as error:
            _bury(desk, str(error), url=post.url, external_id=post.external_id)
    return prepared, len(posts) - len(prepared)


def _write(desk: _Desk, batch: Sequence[Sighting]) -> tuple[Kept, list[int]]:
    """Write everything about ``batch``; also return the ids that want a judgement."""
    if not batch:
        return Kept(), []
    seen = find_keys(desk.session, batch, source_id=desk.source_id)
    new = insert_new(
        desk.session,
        [s for s in batch if s.latest.external_id_hash not in seen],
        source_id=desk.source_id,
        crawl_run_id=desk.crawl_run_id,
    )
    fresh = [s for s in batch if s.latest.external_id_hash in new]
    old = [s for s in batch if s.latest.external_id_hash not in new]
    known = load_known(desk.session, old, source_id=desk.source_id)
    first = [first_change(new[s.latest.external_id_hash], s) for s in fresh]
    later = [change(known[s.latest.external_id_hash], s) for s in old]
    write_change(desk.session, [*first, *later], now=desk.now)
    note_told(desk.session, [c.post_id for c in later if not c.is_stale], now=desk.now)
    _tell(desk, later)
    dated = _dates(fresh) + _dates(old, known=known)
    return _count(first, later, dated), [c.post_id for c in (*first, *later) if c.is_revised]


def _tell(desk: _Desk, later: Sequence[Change]) -> None:
    """Whoever was told of a post hears that it is gone, or there again."""
    gone = [c.post_id for c in later if c.is_gone]
    tell_gone(desk.session, write_gone(desk.session, gone, now=desk.now), now=desk.now)
    back = [c.post_id for c in later if c.is_back]
    tell_of_mentions(desk.session, back, event=DeliveryEvent.RESTORED, now=desk.now)


def _dates(
    batch: Sequence[Sighting], *, known: Mapping[bytes, Known] = MappingProxyType({})
) -> tuple[tuple[datetime | None, str], ...]:
    found = []
    for one in batch:
        said, kept = one.latest.columns, known.get(one.latest.external_id_hash)
        if one.latest.is_deleted:
            continue
        if kept is not None and kept.published_at is not None:
            found.append((kept.published_at, kept.published_quality))
        else:
            found.append((said["published_at"], said["published_quality"]))
    return tuple(found)


def _count(
    first: Sequence[Change],
    later: Sequence[Change],
    dated: tuple[tuple[datetime | None, str], ...],
) -> Kept:
    return Kept(
        dated=dated,
        new_ids=tuple(c.post_id for c in first),
        changed_ids=tuple(c.post_id for c in later if c.is_news),
        unchanged_ids=tuple(c.post_id for c in later if not c.is_news),
    )


def _write_singly(desk: _Desk, batch: Sequence[Sighting]) -> tuple[Kept, list[int]]:
    kept, to_judge = Kept(), list[int]()
    for sighting in batch:
        try:
            with desk.session.begin_nested():
                one, ids = _write(desk, [sighting])
        except (StatementError, ValueError) as error:
            if not is_of_content(error):
                raise
            columns = sighting.latest.columns
            why = f"the database refused the post: {first_line(error)}"
            _bury(desk, why, url=columns["url"], external_id=columns["external_id"])
            one, ids = Kept(dead=1), []
        kept += one
        to_judge += ids
    return kept, to_judge


def is_of_content(error: Exception) -> bool:
    """Whether one row's values are to blame, so that the other rows can still be written."""
    if isinstance(error, DBAPIError) and not isinstance(error, DataError):
        # 22: data exception; 54: over a limit of the server, e.g. an array too large.
        return str(getattr(error.orig, "sqlstate", None) or "")[:2] in ("22", "54")
    return True


def first_line(error: Exception) -> str:
    """What an error says, without the statement and its parameters, which hold whole texts."""
    origin = getattr(error, "orig", None) or error
    lines = str(origin).strip().splitlines()
    return (lines[0] if lines else type(origin).__name__)[:500]


def _bury(desk: _Desk, reason: str, *, url: object, external_id: object) -> None:
    bury(
        desk.session,
        stage="keep",
        reason=reason,
        now=desk.now,
        source_id=desk.source_id,
        crawl_run_id=desk.crawl_run_id,
        url=url if isinstance(url, str) else None,
        detail={"external_id": str(external_id)},
    )
