"""Bluesky's stream: where a run stands in it, and what of it is a post."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.catalogue import spiders
from crawlers.contract import Hear, Page, Request
from crawlers.errors import DriftError
from crawlers.families.bluesky_events import microseconds, moment
from tests.crawlers.saved_pages import FETCHED_AT, parse
from tests.crawlers.streaming import MINUTE, SECOND, event

NOW = microseconds(FETCHED_AT)
STREAM = spiders()["bluesky-stream"]


def _read(events: list[dict[str, Any]], *, stood: int, **given: Any) -> Page:
    """A page of the stream, by a run that stood at a time of it."""
    body = "\n".join(json.dumps(one) for one in events).encode()
    state = {"since": stood - 5 * SECOND, **given.pop("state", {})}
    ahead = {"time_us": stood, "number": None, "told": []}
    return parse("bluesky-stream", body, state=state, ahead=ahead, **given)


def test_the_stream_and_the_search_read_the_same_of_a_post() -> None:
    said = event(NOW - 2 * SECOND, "3k1", "My Kavira kettle caught fire")
    uri = f"at://{said['did']}/app.bsky.feed.post/3k1"
    view = {
        "uri": uri,
        "cid": said["commit"]["cid"],
        "author": {"did": said["did"], "handle": "ben.example"},
        "record": said["commit"]["record"],
        "indexedAt": moment(said["time_us"] + SECOND).isoformat(),
    }
    searched = parse("bluesky", json.dumps({"posts": [view]}).encode()).posts[0]
    heard = _read([said], stood=NOW - MINUTE).posts[0]
    for name in ("external_id", "url", "text", "author_id", "published_at", "language", "extra"):
        assert getattr(heard, name) == getattr(searched, name), name
    assert (searched.author, heard.author) == ("ben.example", None)


def test_a_time_from_the_future_moves_no_run_past_now() -> None:
    late = event(NOW + 10**6 * SECOND, "3k1", "Kavira")
    assert _read([late], stood=NOW - MINUTE).ahead["time_us"] == NOW


def test_a_message_is_passed_over_kept_or_the_last_by_its_time() -> None:
    asked = Request(url="https://x.example", state={"since": NOW - MINUTE}, is_stream=True)

    def heard(at: int) -> Hear:
        said = event(at, "3k1", "Kavira")
        # Whoever writes a post may write anything into its record.
        said["commit"]["record"] |= {"time_us": NOW + MINUTE}
        message = json.dumps(said, separators=(",", ":"))
        return STREAM.hear(message, asked=asked, asked_at=FETCHED_AT)

    assert heard(NOW - MINUTE - 1) is Hear.PASS
    assert heard(NOW - MINUTE) is Hear.KEEP
    assert heard(NOW) is Hear.ENOUGH
    assert STREAM.hear("hello", asked=asked, asked_at=FETCHED_AT) is Hear.KEEP


def test_a_stream_that_begins_late_has_lost_what_lies_between_and_each_page_says_so() -> None:
    stood, first = NOW - 600 * MINUTE, NOW - 60 * MINUTE
    page = _read([event(first, "3k1", "Kavira")], stood=stood)
    assert page.begins_at == FETCHED_AT - timedelta(hours=1)
    assert page.next is not None
    state = json.loads(json.dumps(dict(page.next.state)))
    following = _read([event(NOW - SECOND, "3k2", "tea")], stood=first, state=state)
    assert (following.begins_at, following.next) == (page.begins_at, None)


def test_a_short_silence_is_none() -> None:
    assert _read([event(NOW - SECOND, "3k1", "Kavira")], stood=NOW - 4 * MINUTE).begins_at is None


@pytest.mark.parametrize("change", ["text", "collection", "time_us"])
def test_a_stream_that_lost_its_shape_is_drift(change: str) -> None:
    events = [event(NOW - MINUTE + number, f"3k{number}", "tea") for number in range(250)]
    whole = json.dumps(events)
    assert _read(json.loads(whole), stood=NOW - MINUTE).posts == ()
    with pytest.raises(DriftError):
        _read(json.loads(whole.replace(f'"{change}"', '"renamed"')), stood=NOW - MINUTE)


@pytest.mark.parametrize("query", ["", "  ", '"open', "a AND", "NOT"])
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(ValidationError):
        STREAM.config(query=query)


@pytest.mark.parametrize(
    "cursor", [{}, {"time_us": "soon"}, {"time_us": 5}, {"time_us": None}, {"time_us": 10**30}]
)
def test_a_cursor_that_says_nothing_begins_as_the_first_run_does(cursor: dict[str, Any]) -> None:
    request = STREAM.start(STREAM.config(query="kavira"), cursor=cursor)
    assert request.is_stream
    assert "cursor=" not in request.url
    assert request.state == {}


def test_times_are_exact_to_the_microsecond() -> None:
    when = datetime(2026, 11, 22, 1, 2, 3, 456_789, tzinfo=UTC)
    assert moment(microseconds(when)) == when
