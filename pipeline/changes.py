"""What a sighting of a known post means: nothing, an edit, a deletion; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.storable import Storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """All that one batch says of one post."""

    latest: Storable
    earlier: tuple[Storable, ...]  #: other texts under the same id, in order, no repeats
    is_told: bool  #: the batch holds a text; false when it only says that the post is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the tables know of a post."""

    id: int
    version: int
    content_hash: bytes
    history: frozenset[bytes]  #: hashes of the texts in ``post_version``
    deleted_at: datetime | None
    edited_at: datetime | None
    engagement: Mapping[str, int]
    seen_at: datetime  #: when the text at hand was first read
    told_at: datetime  #: when its source last told of it
    published_at: datetime | None
    published_quality: str
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write about one post; all false means that nothing is new."""

    post_id: int
    latest: Storable
    version: int  #: after the change
    is_first: bool = False  #: never seen before
    is_edited: bool = False  #: says something else than before
    is_gone: bool = False
    is_back: bool = False  #: was deleted and is there again
    is_counted: bool = False  #: its engagement moved
    is_noted: bool = False  #: what the site gives beside its text is another, e.g. a case status
    is_stale: bool = False  #: was read before what is known, so that it says nothing
    recovered: tuple[Storable, ...] = ()  #: earlier texts that no version holds yet

    @property
    def is_revised(self) -> bool:
        """Whether the version rose, so that it wants a judgement."""
        return self.is_edited or bool(self.recovered)

    @property
    def is_news(self) -> bool:
        """Whether the post itself changed, and not only its counters."""
        return self.is_revised or self.is_gone or self.is_back


def sightings(batch: Sequence[Storable]) -> list[Sighting]:
    """Gather a batch by post, ordered by key, so that two writers lock in the same order."""
    by_id: dict[bytes, list[Storable]] = {}
    for one in batch:
        by_id.setdefault(one.external_id_hash, []).append(one)
    return [_gathered(by_id[key]) for key in sorted(by_id)]


def _gathered(seen: Sequence[Storable]) -> Sighting:
    latest = seen[-1]
    told = [one for one in seen if not one.is_deleted]
    if latest.is_deleted and told:
        # Told and deleted within one batch: the text is the evidence, the end is the state.
        columns = dict(told[-1].columns) | {"deleted_at": latest.columns["deleted_at"]}
        latest = replace(told[-1], columns=columns, is_deleted=True)
    distinct = {one.content_hash: one for one in told if one.content_hash != latest.content_hash}
    return Sighting(latest=latest, earlier=tuple(distinct.values()), is_told=bool(told))


def first_change(post_id: int, sighting: Sighting) -> Change:
    """What to write beside the row of a post just inserted."""
    return Change(
        post_id=post_id,
        latest=sighting.latest,
        version=1 + len(sighting.earlier),
        is_first=True,
        is_edited=True,
        is_counted=bool(sighting.latest.engagement),
        recovered=sighting.earlier,
    )


def change(known: Known, sighting: Sighting) -> Change:
    """Compare what is known with what was seen.

    A deletion keeps the text. What was read before the newest that is known does not undo it, and
    neither does a text edited before it: answers may be kept in any order.
    """
    latest = sighting.latest
    if latest.columns["seen_at"] < known.told_at:
        return _stale_change(known, sighting)
    is_late = bool(known.edited_at and latest.edited_at and latest.edited_at < known.edited_at)
    if is_late and not latest.is_deleted:
        return Change(post_id=known.id, latest=latest, version=known.version)
    is_edited = not is_late and sighting.is_told and latest.content_hash != known.content_hash
    held = known.history | {known.content_hash, latest.content_hash}
    recovered = tuple(one for one in sighting.earlier if one.content_hash not in held)
    return Change(
        post_id=known.id,
        latest=latest,
        version=known.version + len(recovered) + is_edited,
        is_edited=is_edited,
        is_gone=latest.is_deleted and known.deleted_at is None,
        is_back=not latest.is_deleted and known.deleted_at is not None,
        is_counted=bool(latest.engagement) and dict(latest.engagement) != dict(known.engagement),
        is_noted=sighting.is_told and not is_late and latest.columns["extra"] != known.extra,
        recovered=recovered,
    )


def _stale_change(known: Known, sighting: Sighting) -> Change:
    """News of its end came first: what a post said last is kept all the same."""
    latest = sighting.latest
    is_last_word = (
        known.deleted_at is not None
        and sighting.is_told
        and latest.columns["seen_at"] > known.seen_at
        and latest.content_hash not in known.history | {known.content_hash}
    )
    return Change(
        post_id=known.id,
        latest=latest,
        version=known.version + is_last_word,
        is_edited=is_last_word,
        is_stale=True,
    )
