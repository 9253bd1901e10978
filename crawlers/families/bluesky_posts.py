"""Views of posts on Bluesky, as the lexicon app.bsky.feed.defs#postView describes them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from core.types import Post
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, listed, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import joined

SITE = "https://bsky.app"


def post_of(view: Json, fetched: Fetched) -> Post | None:
    """Read a view; None for the place of a post that is gone, or that we may not see."""
    if at(view, "notFound") is True or at(view, "blocked") is True:
        return None
    uri = words(at(view, "uri"))
    if uri is None:
        raise ParseError("uri", url=fetched.url, item=view)
    record = at(view, "record")
    text = tidy(words(at(record, "text")) or "")
    # Who posts a picture alone may describe it; who posts a link alone posts its title.
    title = None if text else _shown_by(at(record, "embed"))
    if not text and not title:
        raise ParseError("record.text", url=fetched.url, item=view)
    published_at, quality = _published(view, fetched)
    languages = [said for said in map(words, listed(at(record, "langs"))) if said]
    return Post(
        external_id=uri,
        text=text,
        title=title,
        url=_address(uri, view),
        author=words(at(view, "author", "handle")),
        author_id=words(at(view, "author", "did")),
        published_at=published_at,
        published_quality=quality,
        language=languages[0] if languages else None,
        parent_id=words(at(record, "reply", "parent", "uri")),
        engagement=counts(
            likes=count(at(view, "likeCount")),
            reposts=count(at(view, "repostCount")),
            replies=count(at(view, "replyCount")),
            quotes=count(at(view, "quoteCount")),
        ),
        extra=_extra(view, record),
    )


def _published(view: Json, fetched: Fetched) -> ReadDate:
    """The earlier of what the author's program and what the network says, of those we believe."""
    said = (words(at(view, "record", "createdAt")), words(at(view, "indexedAt")))
    dates = [read_date(one, now=fetched.fetched_at) for one in said]
    return min(
        ((moment, quality) for moment, quality in dates if moment is not None), default=NO_DATE
    )


def _address(uri: str, view: Json) -> str:
    """Seen: at://did:plc:abc/app.bsky.feed.post/3lpk → the post's page in the app."""
    parts = uri.removeprefix("at://").split("/")
    who = words(at(view, "author", "did")) or parts[0]
    return f"{SITE}/profile/{quote(who, safe=':')}/post/{quote(parts[-1], safe='')}"


def _shown_by(embed: Json) -> str | None:
    # With a quote, the pictures stand one level deeper.
    shown = at(embed, "media") or embed
    described = [words(at(image, "alt")) for image in listed(at(shown, "images"))]
    said = (*described, words(at(shown, "alt")), words(at(shown, "external", "title")))
    return next(filter(None, said), None)


def _extra(view: Json, record: Json) -> dict[str, Any]:
    embed = at(record, "embed")
    quoted = at(embed, "record", "uri") or at(embed, "record", "record", "uri")
    labels = [words(at(label, "val")) for label in listed(at(view, "labels"))]
    return known(
        author_name=words(at(view, "author", "displayName")),
        thread=words(at(record, "reply", "root", "uri")),
        quoted=words(quoted),
        link=joined(SITE, words(at(at(embed, "media") or embed, "external", "uri"))),
        labels=[label for label in labels if label][:20],
        cid=words(at(view, "cid")),
    )
