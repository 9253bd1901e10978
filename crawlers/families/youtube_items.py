"""Comments and videos as the YouTube Data API v3 gives them."""

from __future__ import annotations

from typing import Any

from core.types import Post, PostKind
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import text_of, tidy
from crawlers.reading.web_address import with_query

SITE = "https://www.youtube.com"


def comments_of(thread: Json, *, own_channel: str, is_whole: bool) -> list[Json]:
    """The comment that begins a thread and, if all its replies are listed with it, those too.

    What the channel itself answers is put beside the comment, under a key that Google does not
    use, and its own comments are left out.
    """
    top = at(thread, "snippet", "topLevelComment")
    video = name_of(at(thread, "snippet", "videoId")) or name_of(at(top, "snippet", "videoId"))
    replies = listed(at(thread, "replies", "comments"))
    answers = [one for one in replies if is_own(one, own_channel)]
    others = [one for one in replies if is_whole and not is_own(one, own_channel)]
    first = {
        "_total": count(at(thread, "snippet", "totalReplyCount")),
        "_answer": min(answers, key=lambda one: str(_snippet(one, "publishedAt")), default=None),
    }
    begin = [] if is_own(top, own_channel) else [with_video(top, video, **first)]
    return [*begin, *(with_video(one, video) for one in others)]


def with_video(comment: Json, video: str | None, **more: Json) -> Json:
    """A comment that knows its video; one of a reply list does not by itself."""
    return {**comment, "_video": video, **more} if isinstance(comment, dict) else comment


def is_own(comment: Json, own_channel: str) -> bool:
    """Whether the channel itself wrote it."""
    return bool(own_channel) and _author_id(comment) == own_channel


def read_comment(item: Json, fetched: Fetched) -> Post:
    """Read one comment or reply; ``ParseError`` without id or text."""
    external_id = name_of(at(item, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url.partition("?")[0], item=item)
    text = tidy(words(_snippet(item, "textOriginal")) or words(_snippet(item, "textDisplay")) or "")
    if not text:
        raise ParseError("text", url=fetched.url.partition("?")[0], item=item)
    video = name_of(_snippet(item, "videoId")) or name_of(at(item, "_video"))
    published_at, quality = _date(item, "publishedAt", fetched)
    updated_at = _date(item, "updatedAt", fetched)[0]
    is_edited = bool(published_at and updated_at and updated_at > published_at)
    return Post(
        external_id=external_id,
        text=text,
        url=with_query(f"{SITE}/watch", v=video, lc=external_id),
        kind=PostKind.COMMENT,
        author=words(_snippet(item, "authorDisplayName")),
        author_id=_author_id(item),
        published_at=published_at,
        published_quality=quality,
        edited_at=updated_at if is_edited else None,
        parent_id=name_of(_snippet(item, "parentId")),
        engagement=counts(
            likes=count(_snippet(item, "likeCount")), replies=count(at(item, "_total"))
        ),
        extra=known(video_id=video, reply=_answer(at(item, "_answer"))),
    )


def read_video(item: Json, fetched: Fetched) -> Post:
    """Read one video: its description is the text."""
    external_id = name_of(at(item, "id"))
    if external_id is None:
        raise ParseError("id", url=fetched.url.partition("?")[0], item=item)
    title = tidy(words(_snippet(item, "title")) or "")
    if not title:
        raise ParseError("title", url=fetched.url.partition("?")[0], item=item)
    published_at, quality = _date(item, "publishedAt", fetched)
    return Post(
        external_id=external_id,
        text=tidy(words(_snippet(item, "description")) or ""),
        title=title,
        url=with_query(f"{SITE}/watch", v=external_id),
        author=words(_snippet(item, "channelTitle")),
        author_id=name_of(_snippet(item, "channelId")),
        published_at=published_at,
        published_quality=quality,
        language=words(_snippet(item, "defaultAudioLanguage")),
        engagement=counts(
            views=_number(item, "viewCount"),
            likes=_number(item, "likeCount"),
            comments=comment_count(item),
        ),
    )


def comment_count(video: Json) -> int | None:
    """How many comments a video has; its statistics leave it out when they are switched off."""
    return _number(video, "commentCount")


def _snippet(item: Json, key: str) -> Json:
    return at(item, "snippet", key)


def _author_id(comment: Json) -> str | None:
    return name_of(at(comment, "snippet", "authorChannelId", "value"))


def _date(item: Json, key: str, fetched: Fetched) -> ReadDate:
    return read_date(words(_snippet(item, key)), now=fetched.fetched_at)


def _number(video: Json, key: str) -> int | None:
    """Counts of videos are written as text."""
    said = name_of(at(video, "statistics", key)) or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None


def _answer(comment: Json) -> dict[str, Any]:
    return known(
        text=text_of(words(_snippet(comment, "textDisplay")) or ""),
        published_at=words(_snippet(comment, "publishedAt")),
    )
