"""Every recording of a real site is read whole: nothing lost, nothing invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.recording import Recording, recorded, recordings
from bench.recordings import filled
from crawlers.errors import DriftError

USER = "10_users_pg.json"


@pytest.fixture(params=sorted(recorded()))
def of_kind(shared: Path, request: pytest.FixtureRequest) -> list[Recording]:
    return list(recordings(shared / "fixtures", kinds={request.param}))


def test_each_recording_gives_as_many_posts_as_it_holds(of_kind: list[Recording]) -> None:
    read = {one.path.name: (len(one.read().posts), one.counted()) for one in of_kind}
    assert all(posts == counted > 0 for posts, counted in read.values()), read
    assert read


def test_no_item_of_a_recording_is_a_problem_or_a_double(of_kind: list[Recording]) -> None:
    for one in of_kind:
        page = one.read()
        assert page.problems == (), one.path.name
        assert len({post.external_id for post in page.posts}) == len(page.posts), one.path.name
        assert page.announced in (None, len(page.posts)), one.path.name


def test_fields_that_a_site_always_gives_are_always_read(of_kind: list[Recording]) -> None:
    for one in of_kind:
        posts = one.read().posts
        fill = filled(posts)
        lacking = {name for name in one.of.always if fill[name] != len(posts)}
        assert not lacking, (one.path.name, lacking)
        assert all(post.text or post.title for post in posts), one.path.name


def test_replies_of_firms_stay_out_of_the_posts(shared: Path) -> None:
    replies = [
        (post, reply)
        for one in recordings(shared / "fixtures", kinds={"trustpilot", "consumeraffairs"})
        for post in one.read().posts
        if isinstance(reply := post.extra.get("reply"), dict)
    ]
    assert len(replies) == 67
    assert all(reply["text"] and reply["text"] not in post.text for post, reply in replies)


def test_a_recorded_user_is_no_search_result(shared: Path) -> None:
    path = shared / "fixtures" / "hackernews" / USER
    with pytest.raises(DriftError, match="no list of hits"):
        Recording(of=recorded()["hackernews"], path=path).read()
