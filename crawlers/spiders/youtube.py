"""YouTube comments, and videos on a query: Data API v3 (developers.google.com/youtube/v3/docs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.types import Post
from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    KnownPost,
    Page,
    Problem,
    Promise,
    Quota,
    Request,
    Secrets,
    Token,
)
from crawlers.errors import CrawlError, DriftError
from crawlers.families.google_api import ZONE, explain_google, reasons_of
from crawlers.families.json_api import JsonSpider
from crawlers.families.refusals import body_of, quoted
from crawlers.families.youtube_items import SITE, read_comment, read_video, with_video
from crawlers.families.youtube_memory import Memory
from crawlers.families.youtube_visit import Visit
from crawlers.families.youtube_walk import CHUNK, Walk, comments_again, videos_again
from crawlers.reading.answers import read
from crawlers.reading.json_body import Json, at, name_of, words
from crawlers.reading.web_address import query_of, with_query

#: Reasons that concern one list of comments.
_OFF = frozenset({"commentsDisabled", "videoNotFound", "commentNotFound"})
_VideoId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{11}$")]


class YouTubeConfig(ConfigWithCredential):
    """A channel with all its videos, single videos, a search, or several of them."""

    channel_id: str = Field(
        default="",
        pattern=r"^(UC[A-Za-z0-9_-]{22})?$",
        description="the firm's own channel: comments there are read, what it answers is no post",
    )
    video_ids: tuple[_VideoId, ...] = Field(default=(), max_length=CHUNK)
    query: str = Field(default="", max_length=500, description="finds videos; costs most quota")
    search_minutes: int = Field(
        default=60, ge=15, le=10_080, description="a key may search 100 times a day"
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.channel_id or self.video_ids or self.query):
            raise ValueError("name a channel_id, video_ids or a query")
        return self


class YouTube(JsonSpider):
    """Comments newest first, with their replies; a video is a post of its own, unless it is ours.

    A run asks for the counts of the watched videos first and reads the comments of those that
    have others than before. A new reply below an old comment is found once a day.
    """

    kind = "youtube"
    title = "YouTube comments and videos"
    config = YouTubeConfig
    minimum_interval_seconds = 900
    is_verified = True
    read_statuses = frozenset({403, 404})  # of one video; the others go on
    recheck_size = CHUNK
    secrets: ClassVar[Mapping[str, str]] = {
        "api_key": "an API key of a Google Cloud project with YouTube Data API v3"
    }
    quotas: ClassVar[Mapping[str, Quota]] = {
        "": Quota(units=10_000, zone=ZONE),
        "search": Quota(units=100, zone=ZONE),
    }
    promise = Promise(filled={"author": 0.9, "published_at": 0.99, "engagement": 0.9})

    @override
    def start(self, config: YouTubeConfig, *, cursor: Cursor) -> Request:
        """The counts of the watched videos, then the channel; the search only if nothing else."""
        watched = dict.fromkeys([*config.video_ids, *Memory(cursor).videos])
        walk = Walk(asks=tuple(watched), wants_channel=bool(config.channel_id))
        if not watched and not config.channel_id:
            walk = replace(walk, wants_search=True)
        after = Memory(cursor).search_after
        request = walk.request(channel=config.channel_id, query=config.query, after=after)
        assert request is not None  # noqa: S101 - a config names one of the three
        return replace(request, may_be_unchanged=False)

    @override
    def sign(
        self, request: Request, config: YouTubeConfig, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """The key, as a header."""
        key = {"X-Goog-Api-Key": secrets["api_key"]}
        return replace(request, headers={**request.headers, **key})

    @override
    def parse(
        self, fetched: Fetched, config: YouTubeConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read a list of comments or videos, or what a search found."""
        visit = Visit(
            fetched=fetched,
            config=config,
            before=Memory(cursor),
            memory=Memory(ahead),
            walk=Walk.of(fetched.state),
        )
        if fetched.status in self.read_statuses and _OFF & {*reasons_of(fetched)}:
            return self._page(visit.without_comments())
        body = self.body(fetched, read(fetched))
        how = _READERS.get(words(at(body, "kind")) or "")
        if how is None:
            raise DriftError(f"the answer is no list that we know{quoted(at(body, 'kind'))}")
        return self._page(how(visit, body, self._items(body)))

    def _items(self, body: Json) -> list[Json]:
        """The list, which an empty answer may leave out."""
        items = at(body, "items")
        if items is not None and not isinstance(items, list):
            raise DriftError("the answer has no list of items")
        return items or []

    def _page(self, visit: Visit) -> Page:
        """Read the items, and say what comes next.

        Which videos have no comments is told beside posts, so that nobody takes it for a page of
        which nothing can be read.
        """
        posts, problems, _ = self.read_items(visit.items, visit.fetched, visit.config)
        memory = visit.memory.bounded(always=visit.config.video_ids)
        if posts:
            problems += tuple(map(_without_comments, memory.untold()))
            memory = memory.with_told()
        return Page(
            posts=posts,
            problems=problems,
            next=visit.following,
            ahead=memory.cursor,
            announced=len(visit.items) if visit.is_list else None,
            gone=visit.gone,
        )

    @override
    def post(self, item: Json, fetched: Fetched, config: YouTubeConfig) -> Post:
        """Read a comment or a video."""
        is_video = at(item, "kind") == "youtube#video"
        return read_video(item, fetched) if is_video else read_comment(item, fetched)

    @override
    def explain(self, fetched: Fetched, config: YouTubeConfig) -> CrawlError | None:
        """A spent quota or a refused key; a video without comments ends no run."""
        if _OFF & {*reasons_of(fetched)}:
            return None
        said = quoted(at(body_of(fetched), "error", "message"))
        if fetched.status == 404:
            return CrawlError(f"YouTube knows no such channel or video{said}")
        return explain_google(fetched)

    @override
    def recheck(self, config: YouTubeConfig, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for comments, or for videos, by id; of a mixed lot for those like the first."""
        comments = [post.external_id for post in posts if "video_id" in post.extra]
        videos = [post.external_id for post in posts if "video_id" not in post.extra]
        if not posts:
            return None
        is_first = "video_id" in posts[0].extra
        return comments_again(comments[:CHUNK]) if is_first else videos_again(videos[:CHUNK])

    @override
    def parse_recheck(
        self, fetched: Fetched, config: YouTubeConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """Who was asked for by id and is not in the answer is gone."""
        asked = set(query_of(fetched.url).get("id", "").split(","))
        if fetched.status in (404, 410):  # one of them; only of a single one is it known which
            return Page(gone=tuple(asked) if len(asked) == 1 else ())
        items = self._items(self.body(fetched, read(fetched)))
        videos = {post.external_id: name_of(post.extra.get("video_id")) for post in posts}
        items = [with_video(item, videos.get(self.id_of(item) or "")) for item in items]
        found, problems, _ = self.read_items(items, fetched, config)
        there = {self.id_of(item) for item in items}
        gone = tuple(post.external_id for post in posts if post.external_id in asked - there)
        return Page(posts=found, problems=problems, gone=gone)


def _without_comments(video: str) -> Problem:
    url = with_query(f"{SITE}/watch", v=video)
    return Problem(reason="comments of this video are switched off", url=url, external_id=video)


_READERS: Mapping[str, Callable[[Visit, Json, list[Json]], Visit]] = {
    "youtube#commentThreadListResponse": Visit.with_threads,
    "youtube#commentListResponse": Visit.with_replies,
    "youtube#videoListResponse": Visit.with_videos,
    "youtube#searchListResponse": Visit.with_found,
}
