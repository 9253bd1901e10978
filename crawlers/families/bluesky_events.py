"""Events of Jetstream, Bluesky's stream of what everybody writes, as JSON lines."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from crawlers.contract import Fetched
from crawlers.errors import DriftError, ParseError
from crawlers.reading.json_body import Json, at, count, listed, parse_json, words

POSTS: Final = "app.bsky.feed.post"
# Envelopes begin {"did":"did:plc:…","time_us":1725911162329308,"kind":"commit",…}
_TIME = re.compile(r'"time_us"\s{0,9}:\s{0,9}(\d{16})\b', re.ASCII)
_ENVELOPE = 400  #: characters; behind them stands what the author's program wrote
_DID = re.compile(r"did:[a-z]{1,20}:[A-Za-z0-9._:%-]{1,256}")
_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
#: Below this a cursor counts events, from it on it is a time, in microseconds since 1970.
_FIRST_TIME: Final = 10**15
_LEAST_TELLING = 200  #: events that are all without what they always had


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; only those of posts have an operation."""

    time_us: int
    number: int | None  #: the server's own, where it gives one
    operation: str = ""  #: create, update or delete
    uri: str = ""
    did: str = ""
    has_text: bool = False
    cid: str | None = None
    record: Json = None  #: None where it is of no interest
    line: str = ""

    @property
    def name(self) -> str:
        """What tells it from all others: several events of one commit have the same time."""
        return f"{self.time_us}-{zlib.crc32((self.uri + self.operation).encode()):08x}"


@dataclass(slots=True)
class Events:
    """Those of a page, in the order of the stream."""

    all: list[Event] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)  #: lines that are no events


def read_events(lines: Iterable[str], *, wants: Callable[[Json], bool]) -> Events:
    """Read a page; of posts that nobody wants the words are let go.

    Raises ``DriftError`` when most of it is something else, or nothing of it tells of posts.
    """
    found = Events()
    for line in filter(str.strip, lines):
        event = _event(line, wants)
        if event is None:
            found.bad.append(line)
        else:
            found.all.append(event)
    if len(found.bad) > len(found.all):
        raise DriftError(
            f"{len(found.bad)} of {len(found.bad) + len(found.all)} lines say no event"
        )
    told = [one for one in found.all if one.operation]
    if len(found.all) >= _LEAST_TELLING and not told:
        raise DriftError(f"none of {len(found.all)} events is of a post")
    written = [one for one in told if one.operation != "delete"]
    if len(written) >= _LEAST_TELLING and not any(one.has_text for one in written):
        raise DriftError(f"none of {len(written)} posts has a text")
    return found


def time_in(message: str) -> int | None:
    """When an event was seen, without reading it: microseconds since 1970."""
    found = _TIME.search(message, 0, _ENVELOPE)
    return int(found[1]) if found else None


def view_of(event: Event, fetched: Fetched) -> Mapping[str, Json]:
    """A post as the API shows it, as far as an event knows: nobody's handle, no counters."""
    if not _DID.fullmatch(event.did) or not _KEY.fullmatch(event.uri.rpartition("/")[2]):
        raise ParseError("did, rkey", url=fetched.url, item=event.uri)
    return {
        "uri": event.uri,
        "cid": event.cid,
        "author": {"did": event.did},
        "record": event.record,
        "indexedAt": moment(event.time_us).isoformat(),
    }


def said_in(record: Json) -> Iterator[str]:
    """All words of a post that a reader sees or follows."""
    embed = at(record, "embed")
    shown = at(embed, "media") or embed
    external = at(shown, "external")
    features = [
        feature
        for facet in listed(at(record, "facets"))
        for feature in listed(at(facet, "features"))
    ]
    said = (
        at(record, "text"),
        *listed(at(record, "tags")),
        *(at(one, "alt") for one in (shown, *listed(at(shown, "images")))),
        *(at(external, key) for key in ("title", "description", "uri")),
        *(at(one, key) for one in features for key in ("uri", "tag")),
    )
    yield from filter(None, map(words, said))


def moment(time_us: int) -> datetime:
    """A time of the stream."""
    seconds, rest = divmod(time_us, 10**6)
    return datetime.fromtimestamp(seconds, tz=UTC) + timedelta(microseconds=rest)


def microseconds(when: datetime) -> int:
    """A time as the stream writes it."""
    return (when - datetime.fromtimestamp(0, tz=UTC)) // timedelta(microseconds=1)


def is_time(value: Json) -> bool:
    """Whether a number is a time of the stream: from 2001 to 2286."""
    number = count(value)
    return number is not None and _FIRST_TIME <= number < 10 * _FIRST_TIME


def _event(line: str, wants: Callable[[Json], bool]) -> Event | None:
    try:
        told = parse_json(line, what="the line")
    except DriftError:
        return None
    if not is_time(at(told, "time_us")):
        return None
    time_us, number = told["time_us"], count(at(told, "cursor"))
    number = number if number is not None and 0 < number < _FIRST_TIME else None
    commit = at(told, "commit")
    if at(commit, "collection") != POSTS:
        return Event(time_us=time_us, number=number)
    did, key, record = words(at(told, "did")), words(at(commit, "rkey")), at(commit, "record")
    is_wanted = record is not None and wants(record)
    return Event(
        time_us=time_us,
        number=number,
        operation=words(at(commit, "operation")) or "?",
        uri=f"at://{did}/{POSTS}/{key or ''}",
        did=did or "",
        has_text=bool(at(record, "text")),
        cid=words(at(commit, "cid")),
        record=record if is_wanted else None,
        line=line if is_wanted else "",
    )
