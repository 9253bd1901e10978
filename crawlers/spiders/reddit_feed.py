"""Reddit without a key: the Atom feed of a search, or of what is new in subreddits."""

from __future__ import annotations

import re

from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import (
    Cursor,
    Family,
    Fetched,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import CrawlError, ParseError
from crawlers.families.portions import portion
from crawlers.families.reddit_things import RedditQuery, is_gone
from crawlers.families.refusals import spent
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import read_date
from crawlers.reading.json_body import known, words
from crawlers.reading.syndication import Entry, read_xml
from crawlers.reading.web_address import WebAddress, joined, with_query

SITE = "https://www.reddit.com"
_MOST = 100
_FULLNAME = re.compile(r"t[13]_[a-z0-9]{1,13}")
# Reddit ends the content of a link so: "submitted by /u/ann to r/toasters [link] [comments]".
_SUBMITTED = re.compile(
    r"\s*submitted by\s+/u/\S{1,40}(?:\s+to\s+/?r/\S{1,40})?\s+\[link\]\s+\[comments\]\s*$"
)
# … and calls a comment so: "/u/ann on Toasters: which?".
_ON = re.compile(r"/u/\S{1,40} on (?P<thread>.{1,400})", re.S)


class RedditFeedConfig(RedditQuery):
    """A search, in all of Reddit or some subreddits; without words, all that is new in these."""

    base_url: WebAddress = SITE


class RedditFeed(Spider):
    """The newest hundred; built to https://www.reddit.com/wiki/rss, and no feed was recorded.

    The site's robots.txt decides whether it may be read at all: where that refuses everyone, the
    kind ``reddit`` is left. Ids are the same there. A feed gives no counters.
    """

    kind = "reddit-feed"
    title = "Reddit (feed)"
    family = Family.FEED
    config = RedditFeedConfig
    minimum_interval_seconds = 300
    is_verified = False
    is_limited = True
    promise = Promise(filled={"published_at": 0.99, "author": 0.5})

    @override
    def start(self, config: RedditFeedConfig, *, cursor: Cursor) -> Request:
        """The feed itself."""
        within = f"/r/{config.subreddit}" if config.subreddit else ""
        base, query = config.base_url.rstrip("/"), config.query.strip()
        if query:
            url = with_query(
                f"{base}{within}/search.rss",
                q=query,
                sort="new",
                restrict_sr="on" if within else None,
            )
        else:
            url = f"{base}{within}/{'comments' if config.posts == 'comments' else 'new'}/.rss"
        accept = {"Accept": "application/atom+xml, application/xml;q=0.9"}
        return Request(url=with_query(url, limit=_MOST), headers=accept)

    @override
    def parse(
        self, fetched: Fetched, config: RedditFeedConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read every whole entry."""
        text = read(fetched)
        if "<html" in text[:2000].lower() or not text.lstrip("\ufeff \t\r\n").startswith("<"):
            raise unexpected(fetched, text, lacks="feed")
        feed = read_xml(text)
        found = portion(feed.entries, fetched, asked=self.start(config, cursor=cursor))
        entries = tuple(dict.fromkeys(found.items))
        posts: dict[str, Post] = {}
        problems = [Problem(reason=loss, url=fetched.url) for loss in feed.losses]
        for entry in entries:
            try:
                post = _post(entry, fetched)
            except ParseError as error:
                name = words(entry.guid)
                problems.append(
                    Problem(reason=str(error), url=fetched.url, external_id=name, excerpt=entry.raw)
                )
            else:
                posts[post.external_id] = post
        return Page(
            posts=tuple(posts.values()),
            problems=tuple(problems),
            next=found.rest,
            ahead=reach.moved(ahead, posts.values(), now=fetched.fetched_at),
            announced=len(entries),
        )

    @override
    def explain(self, fetched: Fetched, config: RedditFeedConfig) -> CrawlError | None:
        """Who comes without a key is refused early; headers say until when."""
        return spent(fetched)


def _post(entry: Entry, fetched: Fetched) -> Post:
    if not _FULLNAME.fullmatch(entry.guid):
        raise ParseError("id", url=fetched.url, item=entry.raw)
    is_comment = entry.guid.startswith("t1_")
    text, title = _SUBMITTED.sub("", entry.text).strip(), words(entry.title)
    if not text and (is_comment or not title):
        raise ParseError("content" if is_comment else "title", url=fetched.url, item=entry.raw)
    thread = _ON.fullmatch(title or "") if is_comment else None
    published_at, quality = read_date(entry.published or entry.updated, now=fetched.fetched_at)
    updated_at = read_date(entry.updated, now=fetched.fetched_at)[0]
    is_edited = bool(entry.published and published_at and updated_at and updated_at > published_at)
    return Post(
        external_id=entry.guid,
        text=text,
        title=None if is_comment else title,
        url=joined(SITE, entry.link) or f"{SITE}/comments/{entry.guid[3:]}/",
        kind=PostKind.COMMENT if is_comment else PostKind.POST,
        author=_author(entry),
        published_at=published_at,
        published_quality=quality,
        edited_at=updated_at if is_edited else None,
        is_deleted=is_gone(text, None if is_comment else title),
        extra=known(
            subreddit=next(iter(entry.categories), None),
            thread_title=thread["thread"] if thread else None,
        ),
    )


def _author(entry: Entry) -> str | None:
    name = words(entry.author.strip().removeprefix("/u/"))
    return name if name != "[deleted]" else None
