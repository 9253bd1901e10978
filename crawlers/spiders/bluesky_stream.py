"""Bluesky's stream of everything (Jetstream): the posts in it that hold certain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from typing_extensions import override

from core.types import Post
from crawlers.contract import (
    ENDED,
    FULL,
    Config,
    Cursor,
    Family,
    Fetched,
    Hear,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import CrawlError, ParseError
from crawlers.families.bluesky_events import (
    POSTS,
    Event,
    microseconds,
    moment,
    read_events,
    said_in,
    time_in,
    view_of,
)
from crawlers.families.bluesky_place import OVERLAP, Place
from crawlers.families.bluesky_posts import post_of
from crawlers.reading.answers import read, unexpected
from crawlers.reading.json_body import Json, count
from crawlers.reading.web_address import WebAddress, query_of, with_query
from pipeline.errors import QueryError
from pipeline.match import Matcher, Watched
from pipeline.query import check_query

#: So close to now it is up to date; coverage is told of what is a minute old.
_NOW = timedelta(minutes=1)
#: The whole network is never silent for so long: what lies between is not kept there any more.
_LONGEST_SILENCE = timedelta(minutes=5)
#: The server leaves longer events out; a post has at most 3,000 bytes of text.
_LONGEST_EVENT = 500_000


def _readable(query: str) -> str:
    try:
        check_query(query)
    except QueryError as error:
        raise ValueError(str(error)) from None
    return query


class BlueskyStreamConfig(Config):
    """Words, and where the stream is."""

    query: Annotated[str, AfterValidator(_readable)] = Field(
        min_length=1, max_length=2000, description='as of a brand: AND OR NOT, "a phrase", prefix*'
    )
    first_minutes: int = Field(
        default=15, ge=1, le=1440, description="how far back the first run begins"
    )
    base_url: WebAddress = "https://jetstream2.us-east.bsky.network"


class BlueskyStream(Spider):
    """Oldest first, from where the last run ended up to now; built to the docs of Jetstream.

    The endpoint is that of its first version, which the second one serves as well: there each
    event has a number, and a cursor is one; else it is the time of an event. A stream knows
    nobody's handle and no counters; a post has the id that ``bluesky`` gives it.
    """

    kind = "bluesky-stream"
    title = "Bluesky stream (Jetstream)"
    family = Family.JSON_API
    config = BlueskyStreamConfig
    minimum_interval_seconds = 60
    is_verified = False
    is_in_order = True
    promise = Promise(filled={"author_id": 0.99, "published_at": 0.99})

    @override
    def start(self, config: BlueskyStreamConfig, *, cursor: Cursor) -> Request:
        """From the last event on; the first run asks what is said right now, to know the time."""
        return _page(config, Place.stored(cursor))

    @override
    def hear(self, message: str, *, asked: Request, asked_at: datetime) -> Hear:
        """Up to the moment of the request; a server may begin long before what it was asked for."""
        when = time_in(message)
        if when is None:
            return Hear.KEEP
        if when < (count(asked.state.get("since")) or 0):
            return Hear.PASS
        return Hear.ENOUGH if when >= microseconds(asked_at) else Hear.KEEP

    @override
    def parse(
        self, fetched: Fetched, config: BlueskyStreamConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read the posts that hold the words, and all that were deleted."""
        text, since = read(fetched), count(fetched.state.get("since"))
        if text.lstrip("\ufeff \t\r\n")[:1] == "<":
            raise unexpected(fetched, text, lacks="stream")
        matcher = _matcher(config.query)
        events = read_events(text.split("\n"), wants=lambda record: bool(matcher(*said_in(record))))
        if since is None:
            start = microseconds(fetched.fetched_at - timedelta(minutes=config.first_minutes))
            return Page(next=_page(config, Place(time_us=start + OVERLAP), is_opening=True))
        stood = Place.stored(ahead) or Place(time_us=since + OVERLAP)
        if _counts_anew(events.all, fetched, stood):
            following = _page(config, stood.by_time(), **_passed_on(fetched))
            return Page(next=following, ahead=ahead)
        heard = _Heard(fetched=fetched, since=since, told=frozenset(stood.told))
        heard.take(events.all, events.bad)
        now, begins_at = microseconds(fetched.fetched_at), _begin(events.all, fetched, stood)
        place = stood.moved(events.all, told=heard.names, now=now)
        return Page(
            posts=tuple(heard.posts.values()),
            problems=tuple(heard.problems),
            gone=tuple(heard.gone),
            next=_following(config, place, stood, fetched, begins_at=begins_at),
            ahead=place.to_store(),
            announced=len(heard.posts) + len(heard.problems),
            begins_at=begins_at,
            excerpt="\n".join(heard.lines).encode(),
        )


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What a page tells of posts; of what happens to one of them the last counts."""

    fetched: Fetched
    since: int
    told: frozenset[str]  #: names of events that were reported before
    posts: dict[str, Post] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  #: those of the posts

    def take(self, events: Iterable[Event], bad: Iterable[str]) -> None:
        """Read them in their order."""
        url, reason = self.fetched.url, "a line of the stream is no event"
        self.problems += [Problem(reason=reason, url=url, excerpt=one[:500]) for one in bad]
        for event in events:
            is_new = event.time_us >= self.since and event.name not in self.told
            if is_new and event.operation == "delete":
                self.posts.pop(event.uri, None)
                self.gone[event.uri] = None
                self.names.append(event.name)
            elif is_new and event.record is not None:
                self._written(event)
                self.names.append(event.name)

    def _written(self, event: Event) -> None:
        try:
            post = post_of(view_of(event, self.fetched), self.fetched)
        except ParseError as error:
            url, excerpt = self.fetched.url, error.excerpt
            self.problems.append(
                Problem(reason=str(error), url=url, external_id=event.uri, excerpt=excerpt)
            )
            return
        if post is not None:
            self.gone.pop(event.uri, None)
            self.posts[event.uri] = post
            self.lines.append(event.line)


@lru_cache(maxsize=64)
def _matcher(query: str) -> Matcher:
    return Matcher([Watched(id=0, workspace_id=0, name="", query=query)])


def _page(config: BlueskyStreamConfig, place: Place | None, **state: Any) -> Request:
    cursor = place and (place.since if place.number is None else place.number)
    address = with_query(
        f"{config.base_url.rstrip('/')}/subscribe",
        wantedCollections=POSTS,
        maxMessageSizeBytes=_LONGEST_EVENT,
        cursor=cursor,
    )
    asked = {"since": place.since, **state} if place else {}
    return Request(url=address, state=asked, is_stream=True, may_be_unchanged=False)


def _counts_anew(events: Sequence[Event], fetched: Fetched, stood: Place) -> bool:
    """Whether a server that was asked by a number begins behind it: it may be another one.

    Then it is asked by the time.
    """
    asked = query_of(fetched.url).get("cursor")
    is_by_number = stood.number is not None and asked == str(stood.number)
    return is_by_number and _first(events) > stood.time_us + OVERLAP


def _begin(events: Sequence[Event], fetched: Fetched, stood: Place) -> datetime | None:
    """Where the stream begins, if that is not where the last run ended."""
    said = fetched.state.get("begins_at")
    if said is not None:
        return datetime.fromisoformat(said)
    first = moment(max(_first(events), stood.since))
    is_lost = first > moment(stood.time_us) + _LONGEST_SILENCE
    return first if is_lost or "is_opening" in fetched.state else None


def _first(events: Sequence[Event]) -> int:
    return min(event.time_us for event in events)


def _passed_on(fetched: Fetched) -> dict[str, Json]:
    """What each request of a run tells the next one."""
    return {key: fetched.state[key] for key in ("begins_at", "is_opening") if key in fetched.state}


def _following(
    config: BlueskyStreamConfig,
    place: Place,
    stood: Place,
    fetched: Fetched,
    *,
    begins_at: datetime | None,
) -> Request | None:
    """The next page; None when this one came up to now."""
    reached = moment(place.time_us)
    why = fetched.headers.get(ENDED, "it ended there")
    if reached >= fetched.fetched_at - _NOW and not why.startswith(FULL):
        return None
    if not stood.is_behind(place):
        raise CrawlError(f"the stream comes no further than {reached:%Y-%m-%d %H:%M:%S} UTC: {why}")
    return _page(config, place, **({"begins_at": begins_at.isoformat()} if begins_at else {}))
