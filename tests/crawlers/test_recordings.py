"""Every recording of a real site is read whole: nothing lost, nothing invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.recordings import Recording, filled, recordings
from crawlers.errors import DriftError

ALWAYS = {
    "feed": {"title", "published_at"},
    "hackernews": {"author", "published_at", "engagement", "extra"},
    "trustpilot": {"title", "text", "author", "published_at", "language", "rating", "engagement"},
    "consumeraffairs": {"text", "author", "published_at", "rating", "engagement"},
}
USER = "10_users_pg.json"


@pytest.fixture
def recorded(shared: Path) -> list[Recording]:
    return [one for one in recordings(shared / "fixtures") if one.path.name != USER]


def test_each_recording_gives_as_many_posts_as_it_holds(recorded: list[Recording]) -> None:
    read = {one.path.name: (len(one.read().posts), one.counted()) for one in recorded}
    assert all(posts == counted > 0 for posts, counted in read.values()), read
    assert len(read) == 34
    assert sum(posts for posts, _ in read.values()) == 294


def test_no_item_of_a_recording_is_a_problem_or_a_double(recorded: list[Recording]) -> None:
    for one in recorded:
        page = one.read()
        assert page.problems == (), one.path.name
        assert len({post.external_id for post in page.posts}) == len(page.posts), one.path.name
        assert page.announced == len(page.posts), one.path.name


def test_fields_that_a_site_always_gives_are_always_read(recorded: list[Recording]) -> None:
    for one in recorded:
        posts = one.read().posts
        fill = filled(posts)
        lacking = {name for name in ALWAYS[one.kind] if fill[name] != len(posts)}
        assert not lacking, (one.path.name, lacking)
        assert all(post.text or post.title for post in posts), one.path.name


def test_replies_of_firms_stay_out_of_the_posts(recorded: list[Recording]) -> None:
    replies = [
        (post, reply)
        for one in recorded
        for post in one.read().posts
        if isinstance(reply := post.extra.get("reply"), dict)
    ]
    assert len(replies) == 67
    assert all(reply["text"] and reply["text"] not in post.text for post, reply in replies)


def test_a_recorded_user_is_no_search_result(shared: Path) -> None:
    path = shared / "fixtures" / "hackernews" / USER
    with pytest.raises(DriftError, match="no list of hits"):
        Recording(kind="hackernews", path=path).read()
