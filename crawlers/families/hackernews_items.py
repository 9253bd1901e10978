"""Hits of Hacker News' search and items of its own API as posts."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from core.types import Post, PostKind
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import text_of
from crawlers.reading.web_address import with_query


def post_of(hit: Json, fetched: Fetched, *, site: str) -> Post:
    """Read a hit; ``site`` is where its page is. A link without words has only a title."""
    external_id = name_of(at(hit, "objectID"))
    if external_id is None:
        raise ParseError("objectID", url=fetched.url, item=hit)
    comment, story = words(at(hit, "comment_text")), words(at(hit, "story_text"))
    title = words(text_of(words(at(hit, "title")) or ""))
    text = text_of(comment or story or "")
    if not text and not title:
        raise ParseError("text", url=fetched.url, item=hit)
    published_at, quality = _published(hit, fetched)
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=with_query(f"{site}/item", id=external_id),
        kind=PostKind.COMMENT if comment else PostKind.POST,
        author=words(at(hit, "author")),
        author_id=words(at(hit, "author")),
        published_at=published_at,
        published_quality=quality,
        parent_id=name_of(at(hit, "parent_id")),
        engagement=counts(points=count(at(hit, "points")), comments=count(at(hit, "num_comments"))),
        extra=_extra(hit),
    )


def as_hit(item: Json) -> dict[str, Json]:
    """An item in the words of the search."""
    body = "comment_text" if at(item, "type") == "comment" else "story_text"
    return {
        "objectID": name_of(at(item, "id")),
        body: at(item, "text"),
        "title": at(item, "title"),
        "url": at(item, "url"),
        "author": at(item, "by"),
        "created_at_i": at(item, "time"),
        "parent_id": at(item, "parent"),
        "points": at(item, "score"),
        "num_comments": at(item, "descendants"),
    }


def _published(hit: Json, fetched: Fetched) -> ReadDate:
    seconds, written = count(at(hit, "created_at_i")), words(at(hit, "created_at"))
    now = fetched.fetched_at.astimezone(UTC)
    found = read_date(str(seconds) if seconds is not None else None, now=now)
    return found if found[0] is not None else read_date(written, now=now)


def _extra(hit: Json) -> dict[str, Any]:
    tags = [tag for tag in listed(at(hit, "_tags")) if isinstance(tag, str)]
    return known(
        link=words(at(hit, "url")),
        story_id=name_of(at(hit, "story_id")),
        story_title=words(at(hit, "story_title")),
        tags=[tag for tag in tags if not tag.startswith(("author_", "story_"))],
    )
