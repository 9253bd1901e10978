"""Posts of X, as its API v2 gives them: a post here, its author and what it repeats elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.types import Post, PublishedQuality
from crawlers.contract import Fetched
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, read_date
from crawlers.reading.json_body import Json, at, count, counts, known, listed, name_of, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import joined

_SITE = "https://x.com"
#: Ids given since November 2010 hold their time: milliseconds after this moment, from bit 22.
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
_FIRST_TIMED = 30_000_000_000
_METRICS = {
    "likes": "like_count",
    "replies": "reply_count",
    "reposts": "retweet_count",
    "quotes": "quote_count",
    "bookmarks": "bookmark_count",
    "views": "impression_count",
}


def with_includes(items: list[Json], includes: Json) -> list[Json]:
    """Put what posts refer to beside them, under keys that X does not use."""
    users = _by_id(at(includes, "users"))
    places = _by_id(at(includes, "places"))
    others = _by_id(at(includes, "tweets"))
    return [
        {
            **item,
            "_author": users.get(name_of(at(item, "author_id"))),
            "_place": places.get(name_of(at(item, "geo", "place_id"))),
            "_repeated": others.get(_referred(item, "retweeted")),
        }
        if isinstance(item, dict)
        else item
        for item in items
    ]


def _by_id(found: Json) -> dict[str | None, Json]:
    return {name_of(at(one, "id")): one for one in listed(found) if name_of(at(one, "id"))}


def _referred(item: Json, how: str) -> str | None:
    for one in listed(at(item, "referenced_tweets")):
        if at(one, "type") == how:
            return name_of(at(one, "id"))
    return None


def read_post(item: Json, fetched: Fetched) -> Post:
    """Read one post; ``ParseError`` without id or text."""
    version_id = name_of(at(item, "id"))
    if version_id is None:
        raise ParseError("id", url=fetched.url.partition("?")[0], item=item)
    text = _text(item)
    if not text:
        raise ParseError("text", url=fetched.url.partition("?")[0], item=item)
    history = [one for one in map(name_of, listed(at(item, "edit_history_tweet_ids"))) if one]
    first_id = history[0] if version_id in history else version_id
    written_at, quality = _date(item, fetched)
    is_edited = first_id != version_id
    published_at, quality = (
        _time_in(first_id, now=fetched.fetched_at) if is_edited else (written_at, quality)
    )
    return Post(
        external_id=first_id,
        text=text,
        url=f"{_SITE}/{words(at(item, '_author', 'username')) or 'i'}/status/{version_id}",
        author=words(at(item, "_author", "username")),
        author_id=name_of(at(item, "author_id")),
        published_at=published_at,
        published_quality=quality,
        edited_at=written_at if is_edited else None,
        language=_language(item),
        parent_id=_referred(item, "replied_to"),
        engagement=counts(
            **{ours: count(at(item, "public_metrics", key)) for ours, key in _METRICS.items()}
        ),
        extra=_extra(item, version_id=version_id if is_edited else None),
    )


def _text(item: Json) -> str:
    """The whole text: a long one stands elsewhere, and a repeated one is cut off in its repeat."""
    whole = words(at(item, "note_tweet", "text")) or words(at(item, "text")) or ""
    repeated = at(item, "_repeated")
    if repeated is not None and whole.startswith("RT @") and ": " in whole:
        original = words(at(repeated, "note_tweet", "text")) or words(at(repeated, "text"))
        whole = f"{whole.partition(': ')[0]}: {original}" if original else whole
    return tidy(whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _date(item: Json, fetched: Fetched) -> ReadDate:
    return read_date(words(at(item, "created_at")), now=fetched.fetched_at)


def _time_in(post_id: str, *, now: datetime) -> ReadDate:
    """The time that an id holds; none for ids from before they held any."""
    if post_id.isascii() and post_id.isdigit() and _FIRST_TIMED < int(post_id[:20]) < 2**63:
        moment = _EPOCH + timedelta(milliseconds=int(post_id) >> 22)
        if moment <= now:
            return moment, PublishedQuality.EXACT
    return None, PublishedQuality.UNKNOWN


def _language(item: Json) -> str | None:
    """The language that X guessed; "und", "qme" and the like say that it could not."""
    tag = words(at(item, "lang"))
    return None if tag in ("und", "zxx") or (tag or "").startswith("q") else tag


def _extra(item: Json, *, version_id: str | None) -> dict[str, object]:
    links = (words(at(url, "expanded_url")) for url in listed(at(item, "entities", "urls")))
    conversation = name_of(at(item, "conversation_id"))
    return known(
        version_id=version_id,
        author_name=words(at(item, "_author", "name")),
        followers=count(at(item, "_author", "public_metrics", "followers_count")),
        is_verified_author=at(item, "_author", "verified") is True or None,
        conversation_id=conversation if conversation != name_of(at(item, "id")) else None,
        quotes=_referred(item, "quoted"),
        repeats=_referred(item, "retweeted"),
        place=words(at(item, "_place", "full_name")),
        links=[link for link in links if link and joined(link, link)][:20],
    )
