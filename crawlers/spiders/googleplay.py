"""Google Play: the reviews that an app's page carries for its own script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from pydantic import Field
from typing_extensions import override

from core.types import Post, PostKind
from crawlers.contract import Config, Cursor, Family, Fetched, Promise, Request
from crawlers.errors import DriftError, ParseError
from crawlers.families.items import ItemSpider, Listing
from crawlers.reading.answers import unexpected
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.json_body import Json, count, counts, known, listed, words
from crawlers.reading.markup import tidy
from crawlers.reading.web_address import WebAddress, with_query

BEST_RATING = 5
# Seen: "AF_initDataCallback({key: 'ds:23', isError: false, hash: '25', data:function(){return [["
# (2020); later pages have the array itself behind "data:".
_CALLBACK = re.compile(
    r"AF_initDataCallback\(\{\s{0,9}key:\s{0,9}'(?P<key>ds:\d{1,4})'[^\[\]{}<>]{0,200}?"
    r"data:\s{0,9}(?:function\(\)\s{0,9}\{\s{0,9}return\s{0,9})?(?=\[)"
)
# The requests whose answers those are, e.g. "'ds:23' : {id:'UsvDTd',": these two list reviews.
_REVIEWS = re.compile(r"'(?P<key>ds:\d{1,4})'\s{0,9}:\s{0,9}\{\s{0,9}id:\s{0,9}'(?:UsvDTd|oCPfdb)'")
_ID = re.compile(r"gp:[\w-]{20,400}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_CALLBACKS = 200


class GooglePlayConfig(Config):
    """An app, by its package name, as one country and language see it."""

    app_id: str = Field(max_length=200, pattern=r"^[A-Za-z][\w]*(\.[A-Za-z][\w]*)+$")
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    country: str = Field(default="us", pattern=r"^[a-z]{2}$")
    base_url: WebAddress = "https://play.google.com"


class GooglePlay(ItemSpider[Json]):
    """The few dozen reviews that Google shows first, in its own order; the page lists no more.

    They are nameless arrays: a position is believed only as long as it holds what it should.
    """

    kind = "googleplay"
    title = "Google Play reviews"
    family = Family.EMBEDDED_STATE
    config = GooglePlayConfig
    minimum_interval_seconds = 3600
    is_verified = True
    is_limited = True
    promise = Promise(filled={"text": 0.9, "author": 0.9, "rating": 0.95, "published_at": 0.95})

    @override
    def start(self, config: GooglePlayConfig, *, cursor: Cursor) -> Request:
        """The app's page; it is all there is."""
        address = f"{config.base_url.rstrip('/')}/store/apps/details"
        return Request(
            url=with_query(address, id=config.app_id, hl=config.language, gl=config.country)
        )

    @override
    def listing(self, fetched: Fetched, text: str, config: GooglePlayConfig) -> Listing[Json]:
        """The longest of the lists that look like reviews: there may be one for the summary."""
        answers = dict(_answers(text))
        if not answers:
            raise unexpected(fetched, text, lacks="embedded answers (AF_initDataCallback)")
        found = max(map(_reviews, answers.values()), key=len)
        if not found and not _has_none(text, answers):
            raise DriftError("no list in the page has the shape of reviews any more")
        return Listing(items=found, announced=len(found), is_sorted=False)

    @override
    def id_of(self, item: Json) -> str | None:
        """The id of a review."""
        return words(_in(item, 0))

    @override
    def post(self, item: Json, fetched: Fetched, config: GooglePlayConfig) -> Post:
        """Read one review from the positions that google-play-scraper (MIT) documents."""
        external_id, text = self.id_of(item), tidy(words(_in(item, 4)) or "")
        if external_id is None:
            raise ParseError("id", url=fetched.url, item=item)
        if not text:
            raise ParseError("text", url=fetched.url, item=item)
        rating = float(_in(item, 2)) if _is_stars(_in(item, 2)) else None
        published_at, quality = _date(_in(item, 5), fetched)
        return Post(
            external_id=external_id,
            text=text,
            url=with_query(self.start(config, cursor={}).url, reviewId=external_id),
            kind=PostKind.REVIEW,
            author=words(_in(item, 1, 0)) or words(_in(item, 9, 1)),
            author_id=words(_in(item, 9, 0)),
            published_at=published_at,
            published_quality=quality,
            rating=rating,
            rating_scale=float(BEST_RATING) if rating is not None else None,
            engagement=counts(likes=count(_in(item, 6))),
            extra=known(version=words(_in(item, 10)), reply=_reply(item, fetched)),
        )


def _answers(text: str) -> Iterator[tuple[str, Json]]:
    """What each callback of the page is given, by its key; the unreadable ones are left out."""
    decoder = json.JSONDecoder()
    for number, found in enumerate(_CALLBACK.finditer(text)):
        if number >= _MOST_CALLBACKS:
            return
        end = text.find("</script", found.end())
        script = text[found.end() : end if end >= 0 else None]
        try:
            yield found["key"], decoder.raw_decode(script)[0]
        except (ValueError, RecursionError):
            continue


def _reviews(answer: Json) -> list[Json]:
    """The first list of reviews in an answer: itself or one of its parts."""
    for part in (answer, *listed(answer)[:20]):
        items = [item for item in listed(part) if isinstance(item, list)]
        if items and sum(map(_is_review, items)) * 2 > len(items):
            return items
    return []


def _is_review(item: Json) -> bool:
    """An id, an author, and a rating or a text where they belong."""
    is_named = isinstance(_in(item, 0), str) and bool(_ID.fullmatch(_in(item, 0)))
    has_author = isinstance(_in(item, 1), list) and isinstance(_in(item, 1, 0), str | None)
    return is_named and has_author and (_is_stars(_in(item, 2)) or isinstance(_in(item, 4), str))


def _is_stars(value: Json) -> bool:
    return count(value) in range(1, BEST_RATING + 1)


def _has_none(text: str, answers: dict[str, Json]) -> bool:
    """Whether the page asked for reviews and was told that there are none."""
    asked = {found["key"] for found in _REVIEWS.finditer(text)}
    given = [answers.get(key, "unreadable") for key in asked]
    return bool(given) and not any(map(_says_something, given))


def _says_something(answer: Json) -> bool:
    is_list = isinstance(answer, list)
    return not is_list or any(part not in (None, [], [None, None]) for part in answer)


def _in(value: Json, *path: int) -> Json:
    """Follow positions into nested arrays; None where there is none."""
    for place in path:
        is_there = isinstance(value, list) and place < len(value)
        value = value[place] if is_there else None
    return value


def _date(pair: Json, fetched: Fetched) -> ReadDate:
    """Seconds since 1970, with nanoseconds beside them."""
    seconds = count(_in(pair, 0))
    return read_date(str(seconds), now=fetched.fetched_at) if seconds else NO_DATE


def _reply(item: Json, fetched: Fetched) -> dict[str, object]:
    reply: Sequence[Json] = listed(_in(item, 7))
    published_at = _date(_in(reply, 2), fetched)[0]
    return known(
        text=tidy(words(_in(reply, 1)) or ""),
        published_at=published_at.isoformat() if published_at else None,
    )
