"""What a run of YouTube comments still has to ask for; it travels in ``Request.state``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from crawlers.contract import Request
from crawlers.reading.web_address import with_query

#: No setting: the key goes nowhere else.
API = "https://www.googleapis.com/youtube/v3"
CHUNK = 50  # ids that one request may name
PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The lists that wait; each is bounded by what one page may hold or one source may watch."""

    #: Threads of which only a part of the replies was listed, each with a blank and its video.
    replies: tuple[str, ...] = ()
    reply_page: str = ""
    video: str = ""  #: whose comments are read; empty: those of the channel
    page: str = ""  #: the page of them that follows
    pages: int = 0  #: how many of them were read
    asks: tuple[str, ...] = ()  #: videos to ask for their counts
    videos: tuple[str, ...] = ()  #: videos whose comments are to be read
    wants_channel: bool = False  #: whether its comments are to be read
    wants_search: bool = False
    search_page: str = ""
    searches: int = 0  #: how many pages of the search were read

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Walk:
        """Read it back; what is not there, or of another type, is as at the begin."""
        known: dict[str, Any] = {}
        for one in fields(cls):
            value = state.get(one.name)
            value = tuple(map(str, value)) if isinstance(value, list | tuple) else value
            if type(value) is type(one.default):
                known[one.name] = value
        return cls(**known)

    @property
    def state(self) -> dict[str, Any]:
        """As JSON, without what says nothing."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value
        }

    def request(self, *, channel: str, query: str, after: str | None) -> Request | None:
        """What comes next: what is begun is finished first, the dear search comes last."""
        if self.replies:
            return _ask(_replies(self.replies[0].partition(" ")[0], page=self.reply_page), self)
        if self.page:
            return _ask(_threads(self.video, channel=channel, page=self.page), self)
        if self.asks:
            rest = replace(self, asks=self.asks[CHUNK:])
            return _ask(_videos(self.asks[:CHUNK]), rest)
        if self.videos:
            rest = replace(self, video=self.videos[0], videos=self.videos[1:], pages=0)
            return _ask(_threads(rest.video, channel=channel), rest)
        if self.wants_channel:
            rest = replace(self, video="", wants_channel=False, pages=0)
            return _ask(_threads("", channel=channel), rest)
        if self.wants_search:
            rest = replace(self, wants_search=False, search_page="")
            url = _found(query, after=after, page=self.search_page)
            return _ask(url, rest, bucket="search")
        return None


def _ask(url: str, walk: Walk, *, bucket: str = "") -> Request:
    return Request(url=url, state=walk.state, bucket=bucket)


def videos_again(ids: Sequence[str]) -> Request:
    """Ask for videos by id."""
    return Request(url=_videos(ids))


def comments_again(ids: Sequence[str]) -> Request:
    """Ask for comments by id."""
    url = with_query(f"{API}/comments", part="snippet", textFormat="plainText", id=",".join(ids))
    return Request(url=url)


def _videos(ids: Sequence[str]) -> str:
    return with_query(f"{API}/videos", part="snippet,statistics", id=",".join(ids))


def _threads(video: str, *, channel: str, page: str = "") -> str:
    """Comments, newest first: of a video, or of a channel and all its videos."""
    return with_query(
        f"{API}/commentThreads",
        part="snippet,replies",
        order="time",
        maxResults=PER_PAGE,
        textFormat="plainText",
        videoId=video or None,
        allThreadsRelatedToChannelId=None if video else channel,
        pageToken=page or None,
    )


def _replies(thread: str, *, page: str) -> str:
    return with_query(
        f"{API}/comments",
        part="snippet",
        parentId=thread,
        maxResults=PER_PAGE,
        textFormat="plainText",
        pageToken=page or None,
    )


def _found(query: str, *, after: str | None, page: str) -> str:
    return with_query(
        f"{API}/search",
        part="snippet",
        type="video",
        order="date",
        q=query,
        maxResults=CHUNK,
        publishedAfter=after,
        pageToken=page or None,
    )
