"""One answer of YouTube: what it holds, what is remembered of it, and what is asked next."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from crawlers.contract import Fetched, Request
from crawlers.families.youtube_items import comment_count, comments_of, is_own, with_video
from crawlers.families.youtube_memory import OVERLAP, Memory
from crawlers.families.youtube_walk import Walk
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import Json, at, count, listed, name_of, words
from crawlers.reading.web_address import query_of

#: Pages of one list of comments that a first visit reads; later ones go down to what is known.
FIRST_PAGES = 20
#: Pages of a search; the first one ever reads a single page.
SEARCH_PAGES = 5
#: So many videos do not go at once: an answer without any is rather broken.
_TOO_MANY = 3
_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")


class Asked(Protocol):
    """What a source asks for."""

    @property
    def channel_id(self) -> str:
        """The firm's own channel, or nothing."""

    @property
    def query(self) -> str:
        """What videos are searched for, or nothing."""

    @property
    def search_minutes(self) -> int:
        """How long a search is good for."""

    @property
    def video_ids(self) -> tuple[str, ...]:
        """Videos that are always watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An answer on its way to a page."""

    fetched: Fetched
    config: Asked
    before: Memory  #: as it was before the run
    memory: Memory
    walk: Walk
    items: tuple[Json, ...] = ()  #: comments and videos that are to be posts
    is_list: bool = False  #: whether the answer would list posts if there were any
    gone: tuple[str, ...] = ()

    @property
    def following(self) -> Request | None:
        """What to ask next; a search when all else is done, if it is time."""
        config, walk, after = self.config, self.walk, self.before.search_after
        request = walk.request(channel=config.channel_id, query=config.query, after=after)
        if request is not None or walk.searches or not config.query:
            return request
        every = timedelta(minutes=config.search_minutes)
        if not self.before.is_search_due(self.fetched.fetched_at, every=every):
            return None
        walk = replace(walk, wants_search=True)
        return walk.request(channel=config.channel_id, query=config.query, after=after)

    def with_threads(self, body: Json, items: list[Json]) -> Visit:
        """Comments with some of their replies; threads with more of them are asked for later."""
        video, pages, memory = self.walk.video, self.walk.pages + 1, self.memory
        if not video and pages == 1:
            memory = memory.with_reading("", total=None, now=self.fetched.fetched_at)
        times = [self._time(at(one, "snippet", "topLevelComment")) for one in items]
        newest = max(filter(None, times), default=None)
        token = words(at(body, "nextPageToken")) or ""
        is_done = not items or self._is_reached(memory, newest, pages=pages)
        partial = {
            thread: total
            for thread, total in map(_unlisted, items)
            if total and not memory.knows_replies(thread, total)
        }
        videos = {name_of(at(one, "id")): name_of(at(one, "snippet", "videoId")) for one in items}
        waiting = tuple(f"{thread} {videos.get(thread) or video}" for thread in partial)
        # Replies that are asked for anyway come then: the same ones twice look like a broken pager.
        own = self.config.channel_id
        comments = [
            comments_of(one, own_channel=own, is_whole=name_of(at(one, "id")) not in partial)
            for one in items
        ]
        walk = replace(self.walk, page="" if is_done else token, pages=pages, replies=waiting)
        return replace(
            self,
            items=tuple(comment for thread in comments for comment in thread),
            is_list=True,
            memory=memory.with_newest(video, newest).with_replies(partial),
            walk=walk,
        )

    def _is_reached(self, memory: Memory, newest: datetime | None, *, pages: int) -> bool:
        """Whether the rest is known, or more than a first visit reads."""
        video = self.walk.video
        known = self.before.newest(video)
        if known is None:
            return pages >= FIRST_PAGES
        is_below = newest is not None and newest < known - OVERLAP
        return is_below and (pages >= FIRST_PAGES or memory.about(video).get("is_deep") is not True)

    def with_replies(self, body: Json, items: list[Json]) -> Visit:
        """Replies of the thread that was asked for; what the channel itself says is no post."""
        token = words(at(body, "nextPageToken")) or ""
        others = [one for one in items if not is_own(one, self.config.channel_id)]
        video = next(iter(self.walk.replies), "").partition(" ")[2] or None
        walk = replace(self.walk, reply_page=token)
        if not token or not items:
            walk = replace(self.walk, reply_page="", replies=self.walk.replies[1:])
        comments = tuple(with_video(one, video) for one in others)
        return replace(self, items=comments, is_list=True, walk=walk)

    def with_videos(self, body: Json, items: list[Json]) -> Visit:
        """Videos with their counts: those whose comments have changed are read."""
        del body
        own, now = self.config.channel_id, self.fetched.fetched_at
        memory, wanted = self.memory, []
        for item in items:
            video, total = name_of(at(item, "id")), comment_count(item)
            if video is None:
                continue
            published = words(at(item, "snippet", "publishedAt"))
            memory = memory.noted(video, published=published, lost_at=None)
            if total is None and at(item, "statistics") is not None:
                memory = memory.with_off(video)
                continue
            memory = memory.noted(video, off=None)
            if _is_of_channel(item, own):
                continue  # the list of the channel's comments has its comments
            if memory.wants_comments(video, total=total, now=now):
                memory = memory.with_reading(video, total=total, now=now)
                wanted.append(video)
        lost = self._left_out(items)
        is_doubted = not items and len(lost) >= _TOO_MANY
        gone = tuple(one for one in lost if not is_doubted or memory.is_lost(one, now=now))
        memory = memory.with_lost(lost, now=now) if is_doubted else memory
        return replace(
            self,
            items=tuple(one for one in items if not _is_of_channel(one, own)),
            is_list=True,
            memory=memory.without_videos(gone),
            walk=replace(self.walk, videos=(*self.walk.videos, *wanted)),
            gone=gone,
        )

    def _left_out(self, items: list[Json]) -> tuple[str, ...]:
        """Videos that we knew and asked for, and that are not there: deleted, or private now."""
        asked = query_of(self.fetched.url).get("id", "").split(",")
        there = {name_of(at(item, "id")) for item in items}
        return tuple(one for one in asked if one in self.before.videos and one not in there)

    def with_found(self, body: Json, items: list[Json]) -> Visit:
        """Videos that a search found; the known ones are not asked for again."""
        found = dict.fromkeys(name_of(at(one, "id", "videoId")) for one in items)
        known = {*self.memory.videos, *self.config.video_ids}
        new = [one for one in found if one and _VIDEO.fullmatch(one) and one not in known]
        token = words(at(body, "nextPageToken")) or ""
        searches = self.walk.searches + 1
        goes_on = bool(
            token and items and searches < (SEARCH_PAGES if self.before.search_after else 1)
        )
        walk = replace(
            self.walk,
            asks=(*self.walk.asks, *new),
            searches=searches,
            wants_search=goes_on,
            search_page=token if goes_on else "",
        )
        memory = self.memory.with_search(self.fetched.fetched_at)
        return replace(self, is_list=not items, memory=memory, walk=walk)

    def without_comments(self) -> Visit:
        """A refusal of one list: its comments are off, or it is gone since it was named."""
        walk = self.walk
        if walk.replies:
            return replace(self, walk=replace(walk, reply_page="", replies=walk.replies[1:]))
        memory = self.memory.with_off(walk.video) if walk.video else self.memory
        return replace(self, memory=memory, walk=replace(walk, page=""))

    def _time(self, comment: Json) -> datetime | None:
        said = words(at(comment, "snippet", "publishedAt"))
        return read_date(said, now=self.fetched.fetched_at)[0]


def _unlisted(thread: Json) -> tuple[str, int]:
    """A thread and how many replies it has, if not all are listed with it."""
    total = count(at(thread, "snippet", "totalReplyCount")) or 0
    shown = len(listed(at(thread, "replies", "comments")))
    return name_of(at(thread, "id")) or "", total if total > shown and at(thread, "id") else 0


def _is_of_channel(video: Json, channel: str) -> bool:
    return bool(channel) and at(video, "snippet", "channelId") == channel
