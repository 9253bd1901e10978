"""A stream crawled page by page: nothing missed, nothing twice, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.models import CrawlRun, PostRow, RawAnswer, Source, SourceHour
from pipeline.evidence import unpacked
from tests.crawlers.conftest import Crawler, child, start_child, stop_child
from tests.crawlers.site import Site
from tests.crawlers.streaming import MINUTE, SECOND, Jetstream, now_us, streaming
from tests.factories import add_source

_SMALL = 4_000  #: bytes of a page, a dozen events


@pytest.fixture
def stream() -> Iterator[Jetstream]:
    with streaming() as one:
        yield one


@pytest.fixture
def listener(engine: Engine, database_url: str, stream: Jetstream) -> Iterator[Crawler]:
    with child(engine, database_url, Site(port=stream.port), max_body_bytes=_SMALL) as crawler:
        yield crawler


def _source(crawler: Crawler, stream: Jetstream, **params: Any) -> int:
    wanted = {"query": "kavira", "base_url": stream.url, **params}
    with Session(crawler.engine) as session, session.begin():
        return add_source(session, kind="bluesky-stream", params=wanted).id


def _talk(stream: Jetstream, count: int, *, first: int = 0, before: int = 10 * MINUTE) -> None:
    """So many posts from then until now, each third of them about the brand."""
    start, step = now_us() - before, (before - 2 * SECOND) // count
    for number in range(first, first + count):
        about = "Kavira" if number % 3 == 0 else "tea"
        at = start + (number - first) * step
        stream.say(at, f"3k{number:05}", f"{about}, said {number:02} times")


def _wanted(numbers: range) -> list[str]:
    return [f"Kavira, said {n:02} times" for n in numbers if n % 3 == 0]


@pytest.mark.parametrize("is_numbered", [False, True])
def test_a_run_reads_page_after_page_up_to_now_and_the_next_one_goes_on(
    is_numbered: bool, listener: Crawler, stream: Jetstream
) -> None:
    stream.is_numbered = is_numbered
    _talk(stream, 60)
    source = _source(listener, stream)
    run = listener.crawl(source)
    assert (run.outcome, run.reason) == ("ok", "20 posts, 20 new")
    assert run.pages > 4
    assert listener.texts(source) == _wanted(range(60))
    assert stream.most_open == 1
    assert stream.agents[0].startswith("Goodname/")
    _talk(stream, 9, first=60, before=5 * SECOND)
    again = listener.crawl(source)
    # Of what stands within the overlap nothing is told again.
    assert (again.outcome, again.posts_new, again.posts_seen) == ("ok", 3, 3)
    assert listener.texts(source) == _wanted(range(69))


def test_what_a_server_says_from_before_what_it_was_asked_for_is_passed_over(
    listener: Crawler, stream: Jetstream
) -> None:
    stream.starts_early = 1000
    _talk(stream, 60, before=60 * MINUTE)
    source = _source(listener, stream, first_minutes=20)
    run = listener.crawl(source)
    assert run.outcome == "ok", run.reason
    kept = listener.texts(source)
    assert kept == _wanted(range(60))[-len(kept) :]
    assert 5 <= len(kept) <= 8


def _crawl_and_die(
    engine: Engine, database_url: str, stream: Jetstream, source: int | None, *, at: tuple[int, int]
) -> int:
    """Crawl with a child that is killed while a page comes; return the source."""
    process = start_child(
        database_url, allowed_addresses=[f"127.0.0.1:{stream.port}"], max_body_bytes=_SMALL
    )
    crawler = Crawler(engine, process)
    source = _source(crawler, stream) if source is None else source
    stream.dies_at = (*at, process)
    crawler.send(source)
    with pytest.raises(AssertionError, match="the child is gone"):
        crawler.heard()
    assert stop_child(process) == -9
    return source


def test_a_killed_run_goes_on_from_the_last_page_and_misses_nothing(
    engine: Engine, database_url: str, stream: Jetstream
) -> None:
    _talk(stream, 60)
    source = _crawl_and_die(engine, database_url, stream, None, at=(4, 5))
    asked_before = len(stream.asked)
    with child(engine, database_url, Site(port=stream.port), max_body_bytes=_SMALL) as crawler:
        assert 0 < len(crawler.texts(source)) < 20
        run = crawler.crawl(source)
        assert run.outcome == "ok", run.reason
        assert crawler.texts(source) == _wanted(range(60))
    # It did not begin anew.
    assert stream.asked[asked_before]["cursor"] == stream.asked[asked_before - 1]["cursor"]


def test_what_a_server_no_longer_keeps_is_lost_and_coverage_says_so_even_after_a_kill(
    engine: Engine, database_url: str, stream: Jetstream
) -> None:
    _talk(stream, 6)
    with child(engine, database_url, Site(port=stream.port), max_body_bytes=_SMALL) as crawler:
        source = _source(crawler, stream)
        assert crawler.crawl(source).outcome == "ok"
        _age(engine, source, by=timedelta(hours=6))
    stream.events.clear()
    _talk(stream, 60, before=150 * MINUTE)
    stream.forgets_before = begin = now_us() - 120 * MINUTE
    _crawl_and_die(engine, database_url, stream, source, at=(len(stream.asked) + 3, 2))
    with child(engine, database_url, Site(port=stream.port), max_body_bytes=_SMALL) as crawler:
        run = crawler.crawl(source)
    assert run.outcome == "ok", run.reason
    since = datetime.fromisoformat(run.coverage["since"])
    assert (
        timedelta(0) <= since - datetime.fromtimestamp(begin / SECOND, UTC) < timedelta(minutes=5)
    )
    with Session(engine) as session:
        of_source = select(SourceHour).where(SourceHour.source_id == source)
        hours = {one.hour: one for one in session.scalars(of_source)}
    lost = since.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    assert hours[lost].state == "unread"
    assert "the rest is lost" in hours[lost].reason
    assert hours[lost + timedelta(hours=2)].state in ("read", "partly")


def _age(engine: Engine, source_id: int, *, by: timedelta) -> None:
    """Let the last run have been so long ago."""
    with Session(engine) as session, session.begin():
        source = session.get_one(Source, source_id)
        cursor = dict(source.cursor)
        source.cursor = cursor | {"time_us": cursor["time_us"] - by // timedelta(microseconds=1)}
        for run in session.scalars(select(CrawlRun).where(CrawlRun.source_id == source_id)):
            then = {
                name: (datetime.fromisoformat(at) - by).isoformat() if name != "announced" else at
                for name, at in run.coverage.items()
                if name in ("since", "until")
            }
            run.coverage = {**run.coverage, **then}


def test_a_server_that_counts_anew_is_asked_by_the_time(
    listener: Crawler, stream: Jetstream
) -> None:
    stream.is_numbered = True
    _talk(stream, 30)
    source = _source(listener, stream)
    assert listener.crawl(source).posts_new == 10
    # Another server in its place has seen less, so that its numbers are all lower.
    del stream.events[:25]
    for number, one in enumerate(stream.events, 1):
        one["cursor"] = number
    stream.say(now_us(), "3knew", "Kavira, said to another server")
    again = listener.crawl(source)
    assert (again.outcome, again.posts_new) == ("ok", 1), again.reason


def test_a_deleted_post_is_gone_in_the_same_run_and_in_a_later_one(
    listener: Crawler, stream: Jetstream
) -> None:
    start = now_us() - 5 * MINUTE
    stream.say(start, "3kearly", "Kavira, and I take it back at once")
    for number in range(40):
        stream.say(start + (number + 1) * SECOND, f"3kfill{number}", "something else entirely")
    stream.say(start + 50 * SECOND, "3kstays", "Kavira, and I take it back later")
    stream.say(start + 51 * SECOND, "3kearly", None)
    source = _source(listener, stream)
    run = listener.crawl(source)
    assert (run.outcome, run.posts_new) == ("ok", 2)
    assert run.pages > 3
    assert _gone(listener, source) == ["Kavira, and I take it back at once"]
    stream.say(now_us(), "3kstays", None)
    stream.say(now_us(), "3kother", None)
    assert listener.crawl(source).outcome == "ok"
    assert len(_gone(listener, source)) == 2


def _gone(crawler: Crawler, source: int) -> list[str]:
    with Session(crawler.engine) as session:
        mine = select(PostRow.text).where(PostRow.source_id == source)
        return list(session.scalars(mine.where(PostRow.deleted_at.is_not(None))))


def test_evidence_holds_the_lines_of_the_posts_and_nobody_elses(
    listener: Crawler, stream: Jetstream
) -> None:
    _talk(stream, 9)
    source = _source(listener, stream)
    listener.crawl(source)
    with Session(listener.engine) as session:
        mine = session.scalars(select(RawAnswer).where(RawAnswer.source_id == source)).all()
        said = b"\n".join(unpacked(one.body, size_bytes=one.size_bytes) for one in mine)
    assert said.count(b"\n") == 2
    assert said.count(b"Kavira") == 3
    assert b"tea" not in said


def test_a_quiet_query_is_no_failure_and_says_how_far_the_stream_was_read(
    listener: Crawler, stream: Jetstream
) -> None:
    _talk(stream, 9)
    source = _source(listener, stream, query='"nobody says this"')
    run = listener.crawl(source)
    assert (run.outcome, run.posts_seen) == ("ok", 0)
    until = datetime.fromisoformat(run.coverage["until"])
    since = datetime.fromisoformat(run.coverage["since"])
    assert timedelta(minutes=8) < until - since < timedelta(minutes=15)
