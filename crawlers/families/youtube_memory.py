"""What a source of YouTube comments remembers from run to run: its cursor, always bounded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crawlers.contract import Cursor
from crawlers.reading.json_body import Json, at, count, listed

#: Videos that a search found and whose comments are watched; the oldest make room.
WATCHED = 100
#: Comments are edited, and held ones appear late: this much is always read again.
OVERLAP = timedelta(days=1)
#: The index of the search is behind by hours.
SEARCH_OVERLAP = timedelta(days=2)
#: After so long an answer that knows none of several videos is believed.
DOUBT = timedelta(hours=6)
DAY = timedelta(days=1)
_THREADS = 300
_TOLD = 2


@dataclass(frozen=True, slots=True)
class Memory:
    """A cursor with names; each change gives a new one.

    Of a list of comments is known: ``newest`` (its newest comment), ``count`` and ``read_at`` (of
    the last reading), ``is_deep``, ``deep_count`` and ``deep_at`` (of the last that did not stop
    at what is known); of a video also ``published``, ``off`` (no comments; 1, and 2 when told) and
    ``lost_at`` (since when no answer has it, of answers that have no video at all).
    """

    cursor: Cursor

    @property
    def videos(self) -> Mapping[str, Mapping[str, Json]]:
        """What is known of each watched video."""
        found = at(self.cursor, "videos")
        return {str(one): known for one, known in found.items()} if _is_object(found) else {}

    def about(self, video: str) -> Mapping[str, Json]:
        """What is known of a video's comments; of the channel's where ``video`` is empty."""
        return self.videos.get(video, {}) if video else self.cursor

    def noted(self, video: str, **values: Json) -> Memory:
        """Remember something of a list of comments; None forgets it."""
        said = {**self.about(video), **values}
        kept = {key: value for key, value in said.items() if value is not None}
        return self._with(videos={**self.videos, video: kept}) if video else Memory(kept)

    def newest(self, video: str) -> datetime | None:
        """The time of the newest known comment."""
        return _time(self.about(video).get("newest"))

    def with_newest(self, video: str, newest: datetime | None) -> Memory:
        """Remember the newest comment; it only ever moves on."""
        known = self.newest(video)
        if newest is None or (known and known >= newest):
            return self
        return self.noted(video, newest=newest.isoformat())

    def wants_comments(self, video: str, *, total: int | None, now: datetime) -> bool:
        """Whether there may be others than at the last reading."""
        known = self.about(video)
        read_at = _time(known.get("read_at"))
        is_same = total is not None and count(known.get("count")) == total
        return not is_same or read_at is None or now - read_at >= DAY

    def with_reading(self, video: str, *, total: int | None, now: datetime) -> Memory:
        """Note that comments are read now, and whether down to old ones whose replies are new."""
        known = self.about(video)
        deep_at = _time(known.get("deep_at"))
        is_same = total is not None and count(known.get("deep_count")) == total
        is_deep = deep_at is None or (now - deep_at >= DAY and not is_same)
        memory = self.noted(video, count=total, read_at=now.isoformat(), is_deep=is_deep)
        return memory.noted(video, deep_at=now.isoformat(), deep_count=total) if is_deep else memory

    def knows_replies(self, thread: str, total: int) -> bool:
        """Whether all replies of a thread were read when there were as many."""
        return f"{thread}:{total}" in listed(at(self.cursor, "replies"))

    def with_replies(self, threads: Mapping[str, int]) -> Memory:
        """Remember how many replies threads had when they were read."""
        added = [f"{thread}:{total}" for thread, total in threads.items()]
        known = [str(one) for one in listed(at(self.cursor, "replies"))]
        kept = [one for one in known if one.rpartition(":")[0] not in threads]
        return self._with(replies=(kept + added)[-_THREADS:]) if threads else self

    def untold(self) -> list[str]:
        """Videos without comments of which nobody was told yet."""
        return [one for one, known in self.videos.items() if count(known.get("off")) == 1]

    def with_off(self, video: str) -> Memory:
        """Remember that a video's comments are switched off."""
        is_told = count(self.about(video).get("off")) == _TOLD
        return self if is_told else self.noted(video, off=1)

    def with_told(self) -> Memory:
        """Remember that each was told of."""
        told = {one: {**self.videos[one], "off": _TOLD} for one in self.untold()}
        return self._with(videos={**self.videos, **told}) if told else self

    def is_search_due(self, now: datetime, *, every: timedelta) -> bool:
        """Whether the last search is long enough ago."""
        last = _time(at(self.cursor, "searched_at"))
        return last is None or now - last >= every

    @property
    def search_after(self) -> str | None:
        """From when on videos are searched for; None the first time."""
        last = _time(at(self.cursor, "searched_at"))
        return f"{last - SEARCH_OVERLAP:%Y-%m-%dT%H:%M:%SZ}" if last else None

    def with_search(self, now: datetime) -> Memory:
        """Remember when it was searched."""
        return self._with(searched_at=now.astimezone(UTC).isoformat())

    def without_videos(self, gone: Collection[str]) -> Memory:
        """Forget videos."""
        kept = {one: known for one, known in self.videos.items() if one not in gone}
        return self._with(videos=kept) if gone else self

    def with_lost(self, videos: Collection[str], *, now: datetime) -> Memory:
        """Remember since when videos were not there."""
        fresh = {one: {**self.about(one), "lost_at": now.isoformat()} for one in videos
                 if _time(self.about(one).get("lost_at")) is None}  # fmt: skip
        return self._with(videos={**self.videos, **fresh}) if fresh else self

    def is_lost(self, video: str, *, now: datetime) -> bool:
        """Whether a video was not there for so long that it must be gone."""
        since = _time(self.about(video).get("lost_at"))
        return since is not None and now - since >= DOUBT

    def bounded(self, *, always: Collection[str]) -> Memory:
        """Forget the oldest of the found videos."""
        found = [one for one in self.videos if one not in always]
        found.sort(key=lambda one: str(self.videos[one].get("published") or ""), reverse=True)
        return self.without_videos(found[WATCHED:])

    def _with(self, **values: Any) -> Memory:
        return Memory({**self.cursor, **values})


def _is_object(value: Json) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values())


def _time(said: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
