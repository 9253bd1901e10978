"""A stream is recorded and replayed as any other source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import CrawlSection, Settings
from crawlers.catalogue import spiders
from crawlers.errors import BlockedError
from goodname.sources.check import checked
from goodname.sources.fetch import Hand
from goodname.sources.record import record_by
from goodname.sources.recording import recording_named
from tests.crawlers.site import serving
from tests.crawlers.streaming import MINUTE, Jetstream, now_us, streaming


@pytest.fixture
def stream() -> Iterator[Jetstream]:
    with streaming() as one:
        yield one


def _settings(port: int, *, is_allowed: bool = True) -> Settings:
    params = {"query": "kavira", "base_url": f"http://127.0.0.1:{port}"}
    crawl = CrawlSection(
        allowed_addresses=[f"127.0.0.1:{port}"] if is_allowed else [],
        delay_seconds=0,
        timeout_seconds=5,
        opted_in=["bluesky-stream"],
    )
    source = {"slug": "sky", "kind": "bluesky-stream", "params": params}
    return Settings(crawl=crawl, sources=[source])  # type: ignore[list-item]


def test_a_recording_of_a_stream_is_replayed_to_the_same_posts(
    stream: Jetstream, tmp_path: Path
) -> None:
    stream.say(now_us() - 5 * MINUTE, "3k1", "Kavira never answers")
    stream.say(now_us() - 4 * MINUTE, "3k2", "I like tea")
    stream.say(now_us() - 3 * MINUTE, "3k3", "Kavira again")
    settings = _settings(stream.port)
    with Hand(settings.crawl) as hand:
        recording, visits = record_by(hand, settings, "sky", folder=tmp_path, most_pages=5)
    assert [len(visit.page.posts) for visit in visits if visit.page] == [0, 2]
    assert "cursor" in stream.asked[1]
    recording.accept(recording.replayed(spiders()))
    found = checked(recording_named(tmp_path, "sky"), spiders())
    assert (found.is_ok, found.posts) == (True, 2), found.reasons


def test_a_hand_hears_nothing_internal(tmp_path: Path) -> None:
    with serving() as inside:
        settings = _settings(inside.port, is_allowed=False)
        with Hand(settings.crawl) as hand, pytest.raises(BlockedError):
            record_by(hand, settings, "sky", folder=tmp_path, most_pages=2)
        assert inside.connections == 0
