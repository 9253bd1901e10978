"""Reddit's things: links (t3) and comments (t1) as posts."""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core.types import Post, PostKind
from crawlers.contract import Config, Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, name_of, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import joined

SITE = "https://www.reddit.com"
#: One subreddit, or up to ten with + between.
SUBREDDITS = r"^([A-Za-z0-9_]{2,21}(\+[A-Za-z0-9_]{2,21}){0,9})?$"
_NOBODY = "[deleted]"
# What stands in place of a body or a title; the last goes on with by whom, and why.
_GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ removed by ")


class RedditQuery(Config):
    """A search, in all of Reddit or some subreddits; without words, all that is new in these."""

    query: str = Field(default="", max_length=512)
    subreddit: str = Field(
        default="", max_length=200, pattern=SUBREDDITS, description="one, or several with + between"
    )
    posts: Literal["links", "comments"] = Field(
        default="links", description="Reddit searches links only; comments are read as they come"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if not self.query.strip() and not self.subreddit:
            raise ValueError("query or subreddit is needed")
        if self.posts == "comments" and (self.query.strip() or not self.subreddit):
            raise ValueError("comments are read of a subreddit and cannot be searched")
        return self


def name_of_thing(thing: Json) -> str | None:
    """The fullname of a thing: its kind and its id, such as t1_abc."""
    name, bare = words(at(thing, "data", "name")), name_of(at(thing, "data", "id"))
    return name or (f"{at(thing, 'kind')}_{bare}" if bare else None)


def post_of(thing: Json, fetched: Fetched) -> Post | None:
    """Read a thing; None for what is neither a link nor a comment."""
    kind, data = at(thing, "kind"), at(thing, "data")
    if isinstance(kind, str) and kind not in ("t1", "t3"):
        return None
    name = name_of_thing(thing)
    if name is None or kind is None:
        raise ParseError("name", url=fetched.url, item=thing)
    is_comment = kind == "t1"
    body = _shown(at(data, "body" if is_comment else "selftext"))
    title = None if is_comment else _shown(at(data, "title")) or None
    if not body and not title:
        raise ParseError("body" if is_comment else "title", url=fetched.url, item=thing)
    author = words(at(data, "author"))
    published_at, quality = _time(at(data, "created_utc"), fetched)
    return Post(
        external_id=name,
        text=body,
        title=title,
        url=_address(data, name),
        kind=PostKind.COMMENT if is_comment else PostKind.POST,
        author=author if author != _NOBODY else None,
        author_id=words(at(data, "author_fullname")),
        published_at=published_at,
        published_quality=quality,
        edited_at=_edited_at(data, fetched),
        parent_id=words(at(data, "parent_id")) if is_comment else None,
        is_deleted=is_gone(body, title) or words(at(data, "removed_by_category")) is not None,
        engagement=_engagement(data, is_comment=is_comment),
        extra=_extra(data, is_comment=is_comment),
    )


def _shown(text: Json) -> str:
    """Markdown as it was written; the editor leaves &#x200B; and its like in it."""
    return tidy(html.unescape(words(text) or "").replace("\u200b", ""))


def is_gone(*texts: str | None) -> bool:
    """Whether one of them is what stands in place of a text that was deleted or removed."""
    said = [text.lower() for text in texts if text]
    return any(text in _GONE or text.startswith(_GONE[-1]) for text in said)


def _address(data: Json, name: str) -> str:
    path = words(at(data, "permalink")) or ""
    if path.startswith("/") and not path.startswith("//"):
        return joined(SITE, path) or SITE
    bare, link = name[3:], (words(at(data, "link_id")) or "")[3:]
    # Comments of 2017 had no address of their own.
    return f"{SITE}/comments/{link}/_/{bare}/" if link else f"{SITE}/comments/{bare}/"


def _time(seconds: Json, fetched: Fetched) -> ReadDate:
    whole = int(seconds) if isinstance(seconds, float) and abs(seconds) < 1e12 else count(seconds)
    return read_date(str(whole) if whole is not None else None, now=fetched.fetched_at)


def _edited_at(data: Json, fetched: Fetched) -> datetime | None:
    edited = at(data, "edited")
    return None if isinstance(edited, bool) else _time(edited, fetched)[0]


def _engagement(data: Json, *, is_comment: bool) -> dict[str, int]:
    is_hidden = at(data, "score_hidden") is True or at(data, "hide_score") is True
    return counts(
        points=None if is_hidden else count(at(data, "score")),
        # A comment's counts those of the whole thread.
        comments=None if is_comment else count(at(data, "num_comments")),
    )


def _extra(data: Json, *, is_comment: bool) -> dict[str, Any]:
    is_link = not is_comment and at(data, "is_self") is False
    return known(
        subreddit=words(at(data, "subreddit")),
        link=joined(SITE, words(at(data, "url"))) if is_link else None,
        thread=words(at(data, "link_id")) if is_comment else None,
        thread_title=_shown(at(data, "link_title")) if is_comment else None,
        flair=words(at(data, "link_flair_text")),
        removed_by=words(at(data, "removed_by_category")),
    )
