"""Posts and comments of Facebook Pages, as the Graph API gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.types import Post, PostKind
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import joined, query_of

SITE = "https://www.facebook.com"
_POST = re.compile(r"/posts/(?P<number>\d{1,30})")


def feed_items(listing: Json) -> list[Json]:
    """Posts with the comments that are listed inside, without those of the Page itself.

    Whose Page it is stands before the underscore of a post's id.
    """
    items: list[Json] = []
    for post in listed(at(listing, "data")):
        post_id, comments = name_of(at(post, "id")), at(post, "comments")
        own = (post_id or "").partition("_")[0]
        if not is_own(post, own):
            answer = _answers(comments, own).get(None)
            items.append({**post, "_answer": answer} if isinstance(post, dict) else post)
        items += comment_items(comments, post_id=post_id)
    return items


def comment_items(listing: Json, *, post_id: str | None) -> list[Json]:
    """Comments without those of the Page, which stand beside what they answer."""
    own = (post_id or "").partition("_")[0]
    answers = _answers(listing, own)
    return [
        {**one, "_post": post_id or "", "_answer": answers.get(comment_id(one) or "")}
        if isinstance(one, dict)
        else one
        for one in listed(at(listing, "data"))
        if not is_own(one, own)
    ]


def _answers(comments: Json, own: str) -> dict[str | None, Json]:
    """What the Page wrote, by the comment that it answers; under None what answers the post."""
    own_comments = [one for one in listed(at(comments, "data")) if is_own(one, own)]
    return {_parent_id(one): one for one in own_comments}  # newest first: the oldest stays


def is_own(item: Json, own: str) -> bool:
    """Whether the Page itself wrote it; a token of no Page is not told who wrote."""
    return bool(own) and name_of(at(item, "from", "id")) == own


def comment_id(comment: Json) -> str | None:
    """A comment's id, also where only its address holds it: number of post and of comment."""
    return name_of(at(comment, "id")) or _id_in(comment, "reply_comment_id", "comment_id")


def _parent_id(comment: Json) -> str | None:
    written = name_of(at(comment, "parent", "id"))
    query = query_of(_address(comment) or "")
    is_reply = "reply_comment_id" in query
    return written or (_id_in(comment, "comment_id") if is_reply else None)


def _id_in(comment: Json, *keys: str) -> str | None:
    address = _address(comment) or ""
    post, query = _POST.search(urlsplit(address).path), query_of(address)
    number = next((query[key] for key in keys if query.get(key)), "")
    is_number = number.isascii() and number.isdigit() and len(number) < 30
    return f"{post['number']}_{number}" if post and is_number else None


def _address(item: Json) -> str | None:
    return joined(SITE, words(at(item, "permalink_url")))


def read_item(item: Json, fetched: Fetched) -> Post | None:
    """Read a post or a comment; None for one without words, such as a photo or a sticker."""
    is_comment = isinstance(item, Mapping) and "_post" in item
    external_id = comment_id(item) if is_comment else name_of(at(item, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url.partition("?")[0], item=item)
    text, title = tidy(words(at(item, "message")) or ""), _title(item)
    if not text and not title:
        return None
    published_at, quality = _date(at(item, "created_time"), fetched)
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=_address(item) or f"{SITE}/{external_id}",
        kind=PostKind.COMMENT if is_comment else PostKind.POST,
        author=words(at(item, "from", "name")),
        author_id=name_of(at(item, "from", "id")),
        published_at=published_at,
        published_quality=quality,
        parent_id=(_parent_id(item) or words(item["_post"])) if is_comment else None,
        engagement=_engagement(item),
        extra=known(reply=_answer(at(item, "_answer"))),
    )


def _title(item: Json) -> str | None:
    """What Facebook says of a post ("A recommends B"), or the title of what is shared."""
    attached = listed(at(item, "attachments", "data"))
    shared = [words(at(one, "title")) for one in attached]
    return words(at(item, "story")) or next(filter(None, shared), None)


def _engagement(item: Json) -> dict[str, int]:
    likes = count(at(item, "like_count"))
    reactions = count(at(item, "reactions", "summary", "total_count"))
    comments = count(at(item, "comments", "summary", "total_count"))
    return counts(
        likes=likes if likes is not None else reactions,
        comments=comments if comments is not None else count(at(item, "comment_count")),
        shares=count(at(item, "shares", "count")),
    )


def _date(said: Json, fetched: Fetched) -> ReadDate:
    return read_date(words(said), now=fetched.fetched_at)


def _answer(comment: Json) -> dict[str, Any]:
    return known(
        text=tidy(words(at(comment, "message")) or ""),
        published_at=words(at(comment, "created_time")),
    )
