"""YouTube: the Atom feed of a channel, which needs no key and lists its newest videos."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from core.types import Post
from crawlers import reach
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import BlockedError, DriftError, ParseError
from crawlers.families.portions import portion
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import counts, words
from crawlers.reading.syndication import Entry, read_xml
from crawlers.reading.web_address import WebAddress, with_query

_CONSENT = "//consent.youtube.com"
_VIDEO = "yt:video:"
_SITE = "https://www.youtube.com"


class YouTubeChannelConfig(Config):
    """A channel, by the id that its page's source shows."""

    channel_id: str = Field(pattern=r"^UC[A-Za-z0-9_-]{22}$")
    base_url: WebAddress = _SITE


class YouTubeChannel(Spider):
    """The newest 15 videos with their descriptions, views and likes.

    The feed's ``updated`` moves with every view, so it says nothing of an edit.
    """

    kind = "youtube-channel"
    title = "YouTube channel feed"
    family = Family.FEED
    config = YouTubeChannelConfig
    minimum_interval_seconds = 300
    is_verified = True
    is_limited = True
    # A stream that is about to begin, or is on, may leave the list and come back.
    is_gapless = False
    promise = Promise(
        filled={"title": 0.99, "author": 0.99, "published_at": 0.99, "engagement": 0.8}
    )

    @override
    def start(self, config: YouTubeChannelConfig, *, cursor: Cursor) -> Request:
        """The feed itself."""
        url = f"{config.base_url.rstrip('/')}/feeds/videos.xml"
        return Request(url=with_query(url, channel_id=config.channel_id))

    @override
    def parse(
        self, fetched: Fetched, config: YouTubeChannelConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read every whole entry."""
        text = read(fetched)
        if _CONSENT in fetched.url or _CONSENT in text[:100_000]:
            raise BlockedError("a page that asks for consent to cookies instead of a feed")
        if "<html" in text[:2000].lower():
            raise unexpected(fetched, text, lacks="feed")
        if not text.lstrip("\ufeff \t\r\n").startswith("<"):
            raise DriftError("the answer is no feed: it does not begin with <")
        feed = read_xml(text)
        part = portion(feed.entries, fetched, asked=self.start(config, cursor=cursor))
        entries = tuple(dict.fromkeys(part.items))
        posts: dict[str, Post] = {}
        problems = [Problem(reason=loss, url=fetched.url) for loss in feed.losses]
        for entry in entries:
            try:
                post = _post(entry, fetched)
            except ParseError as error:
                reason, found = str(error), words(entry.guid)
                problems.append(
                    Problem(reason=reason, url=fetched.url, external_id=found, excerpt=entry.raw)
                )
            else:
                posts[post.external_id] = post
        return Page(
            posts=tuple(posts.values()),
            problems=tuple(problems),
            next=part.rest,
            ahead=reach.moved(ahead, posts.values(), now=fetched.fetched_at),
            announced=len(entries),
        )


def _post(entry: Entry, fetched: Fetched) -> Post:
    external_id = words(entry.guid.partition(_VIDEO)[2])
    if external_id is None:
        raise ParseError("id of a video", url=fetched.url, item=entry.raw)
    title = words(entry.title)
    if title is None:
        raise ParseError("title", url=fetched.url, item=entry.raw)
    published_at, quality = read_date(entry.published, now=fetched.fetched_at)
    return Post(
        external_id=external_id,
        text=entry.text,
        title=title,
        url=with_query(f"{_SITE}/watch", v=external_id),
        author=words(entry.author),
        published_at=published_at,
        published_quality=quality,
        engagement=counts(views=entry.views, likes=entry.likes),
    )
