"""Feeds: RSS, Atom, RDF, JSON Feed; of news, blogs, forums and comments."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Sequence, Set
from urllib.parse import urlsplit

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers import reach
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Problem, Request, Spider
from crawlers.errors import DriftError, ParseError
from crawlers.families.portions import portion
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import counts, known, listed, words
from crawlers.reading.json_feed import read_json
from crawlers.reading.syndication import Entry, Feed, read_xml
from crawlers.reading.web_address import WebAddress, joined, query_of

#: In the cursor: short names of guids and links that several items had; the latest of them.
_SHARED, _MOST_SHARED = "shared", 500
# Alerts link to "https://www.google.com/url?rct=j&sa=t&url=https://…&ct=ga&usg=…".
_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)


class FeedConfig(Config):
    """The address of a feed."""

    url: WebAddress
    posts: PostKind | None = Field(
        default=None, description="what its items are; without it articles, or comments on replies"
    )


class FeedSpider(Spider):
    """One page holds all that a feed offers, so each run reads it whole."""

    kind = "feed"
    title = "Feed (RSS, Atom, JSON Feed)"
    family = Family.FEED
    config = FeedConfig
    minimum_interval_seconds = 60
    is_verified = True
    is_limited = True

    @override
    def start(self, config: FeedConfig, *, cursor: Cursor) -> Request:
        """The feed itself."""
        return Request(url=config.url, headers={"Accept": _ACCEPT})

    @override
    def parse(self, fetched: Fetched, config: FeedConfig, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read every whole item; what was cut off is a problem."""
        feed = _feed(fetched)
        found = portion(feed.entries, fetched, asked=self.start(config, cursor=cursor))
        entries = tuple(dict.fromkeys(found.items))  # the same item twice is one
        remembered = {str(one) for one in listed(ahead.get(_SHARED))}
        ids, shared = external_ids(entries, shared=remembered)
        posts: dict[str, Post] = {}
        problems = [Problem(reason=loss, url=fetched.url) for loss in feed.losses]
        for entry, external_id in zip(entries, ids, strict=True):
            try:
                post = _post(entry, external_id, feed, fetched, config)
            except ParseError as error:
                problems.append(_problem(error, entry, external_id, fetched))
                continue
            posts[external_id] = _later(posts.get(external_id), post)
        return Page(
            posts=tuple(posts.values()),
            problems=tuple(problems),
            next=found.rest,
            ahead=reach.moved(_remembering(ahead, shared), posts.values(), now=fetched.fetched_at),
            announced=len(set(ids)),
        )


def _feed(fetched: Fetched) -> Feed:
    text = read(fetched)
    start = text.lstrip("\ufeff \t\r\n")[:2000].lower()
    if start.startswith(("{", "[")):
        return read_json(text)
    if not start.startswith("<"):
        raise DriftError("the answer is no feed: it begins with neither < nor {")
    if start.startswith(("<!doctype html", "<html")) or "<html" in start.partition("<rss")[0]:
        raise unexpected(fetched, text, lacks="feed")
    return read_xml(text)


def external_ids(
    entries: Sequence[Entry], *, shared: Set[str] = frozenset()
) -> tuple[list[str], list[str]]:
    """An id for each entry: its guid, else its link, else a hash of what it says.

    Some feeds give several items the same guid: then the link, or the text, tells them apart, and
    goes on to when only one of them is listed. ``shared`` names what was seen on several items
    before, and what is returned beside the ids what is now. Entries of one item get one id.
    """
    ids, items = [entry.guid or entry.link or _hash(entry) for entry in entries], _items(entries)
    found: list[str] = []
    for telling in (lambda entry: entry.link, _hash):
        of_items = Counter(one for one, _ in set(zip(ids, items, strict=True)))
        names = {one: _short(one) for one in of_items}
        several = {one for one, count in of_items.items() if count > 1 or names[one] in shared}
        found += [name for one, name in names.items() if one in several]
        ids = [
            f"{one}#{telling(entry)}" if one in several and telling(entry) else one
            for one, entry in zip(ids, entries, strict=True)
        ]
    return ids, found


def _remembering(ahead: Cursor, shared: Sequence[str]) -> Cursor:
    """The cursor with more of them; those seen last are kept longest."""
    latest = {*shared}
    known = [str(one) for one in listed(ahead.get(_SHARED)) if one not in latest]
    return {**ahead, _SHARED: [*known, *shared][-_MOST_SHARED:]} if shared else ahead


def _short(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def _items(entries: Sequence[Entry]) -> list[Hashable]:
    """Which item each entry tells of: one that was edited may stand there twice.

    It has the same guid and link, and nobody else wrote it. Where most entries share theirs, guid
    and link name a page or a thread, and each entry is an item.
    """
    names = [(entry.guid, entry.link) for entry in entries]
    telling = [name for name in names if name[0]]
    places: list[Hashable] = [
        number if any(name) else _hash(entry)  # of a nameless one only its words tell which it is
        for number, (name, entry) in enumerate(zip(names, entries, strict=True))
    ]
    if 2 * len(set(telling)) < len(telling):
        return places
    authors: dict[tuple[str, str], set[str]] = {}
    for entry, name in zip(entries, names, strict=True):
        authors.setdefault(name, set()).add(entry.author)
    return [
        name if name[0] and len(authors[name] - {""}) < 2 else place
        for place, name in zip(places, names, strict=True)
    ]


def _later(known: Post | None, post: Post) -> Post:
    """Of two versions of an item the one that is from later; else the first that is listed."""
    if known is None:
        return post
    one, other = (each.edited_at or each.published_at for each in (known, post))
    return post if one is not None and other is not None and other > one else known


def _hash(entry: Entry) -> str:
    said = "\x1f".join((entry.title, entry.text, entry.published, entry.author))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def _post(entry: Entry, external_id: str, feed: Feed, fetched: Fetched, config: FeedConfig) -> Post:
    if not entry.text and not entry.title:
        raise ParseError("text", url=fetched.url, item=entry.raw)
    link = _unwrapped(joined(fetched.url, entry.link) or joined(fetched.url, _permalink(entry)))
    published_at, quality = _date(entry.published or entry.updated, feed, entry, fetched)
    updated_at = _date(entry.updated, feed, entry, fetched)[0]
    is_edited = bool(entry.published and published_at and updated_at and updated_at > published_at)
    usual = PostKind.COMMENT if entry.parent else PostKind.ARTICLE
    return Post(
        external_id=external_id,
        text=entry.text,
        title=words(entry.title),
        url=link or fetched.url,
        kind=config.posts or usual,
        author=words(entry.author) or words(feed.author),
        published_at=published_at,
        published_quality=quality,
        edited_at=updated_at if is_edited else None,
        language=words(entry.language) or words(feed.language),
        parent_id=words(entry.parent),
        engagement=counts(comments=entry.comments),
        extra=known(
            categories=list(entry.categories[:50]),
            comments_link=joined(fetched.url, entry.comments_link),
        ),
    )


def _unwrapped(link: str | None) -> str | None:
    """The page itself, where the link leads to it over Google's counter, as that of an alert."""
    parts = urlsplit(link or "")
    if parts.path == "/url" and _GOOGLE.fullmatch(parts.hostname or ""):
        query = query_of(link or "")
        return joined("", query.get("url") or query.get("q")) or link
    return link


def _permalink(entry: Entry) -> str | None:
    return entry.guid if entry.guid.lower().startswith(("http://", "https://")) else None


def _date(text: str, feed: Feed, entry: Entry, fetched: Fetched) -> ReadDate:
    tags = [tag for tag in (entry.language, feed.language) if tag]
    languages = [*tags, "en"] if tags else []
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=languages)


def _problem(error: ParseError, entry: Entry, external_id: str, fetched: Fetched) -> Problem:
    return Problem(
        reason=str(error),
        url=joined(fetched.url, entry.link) or fetched.url,
        external_id=external_id,
        excerpt=entry.raw,
    )
