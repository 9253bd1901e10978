"""YouTube: what a run asks for, in which order, and what it leaves out to save quota."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.recording import unpacked
from crawlers.catalogue import spiders
from crawlers.contract import Cursor, KnownPost, Page, Request
from crawlers.errors import AuthError, CrawlError, QuotaError
from crawlers.families.youtube_memory import Memory
from tests.crawlers.answering import answer_to, explained, posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT, config_of, parse

YOUTUBE = spiders()["youtube"]
CONFIG = YOUTUBE.config(**config_of("youtube"))
CLEAN, DIRTY = "kavira-0001", "kavira-0002"
BOTH = {"video_ids": [CLEAN, DIRTY]}
Json = dict[str, Any]
Query = dict[str, str]
#: Threads of a video by their ids: when they began, and how many replies they have.
Threads = Mapping[str, tuple[datetime, int]]


class Tube:
    """A small YouTube that gives lists in pages of three."""

    def __init__(self, videos: Mapping[str, Threads], *, per: int = 3) -> None:
        self.videos, self.per = dict(videos), per
        self.off: set[str] = set()  #: videos without comments
        self.refused: set[str] = set()  #: … of which their count does not tell it yet
        self.asked: list[str] = []
        self.searched: list[Query] = []

    def __call__(self, request: Request) -> object:
        path = urlsplit(request.url).path.rpartition("/")[2]
        query = {key: one[-1] for key, one in parse_qs(urlsplit(request.url).query).items()}
        what = query.get("videoId") or query.get("parentId") or query.get("q") or ""
        self.asked.append(f"{path} {what}".strip())
        assert request.bucket == ("search" if path == "search" else "")
        lists = {
            "search": self._search,
            "videos": self._videos,
            "commentThreads": self._threads,
            "comments": self._replies,
        }
        return lists[path](query)

    def _search(self, query: Query) -> object:
        self.searched.append(query)
        return _list("search", [{"id": {"videoId": video}} for video in self.videos])

    def _videos(self, query: Query) -> object:
        return _list(
            "video",
            [
                {
                    "kind": "youtube#video",
                    "id": one,
                    "snippet": {"title": one, "publishedAt": "2026-02-01T00:00:00Z"},
                    "statistics": {} if one in self.off else {"commentCount": self._count(one)},
                }
                for one in query["id"].split(",")
                if one in self.videos
            ],
        )

    def _count(self, video: str) -> str:
        return str(sum(1 + replies for _, replies in self.videos[video].values()))

    def _threads(self, query: Query) -> object:
        video, start = query["videoId"], int(query.get("pageToken", 0))
        if video in self.refused:
            return 403, {"error": {"errors": [{"reason": "commentsDisabled"}]}}
        found = sorted(self.videos[video].items(), key=lambda one: one[1][0], reverse=True)
        end = start + self.per
        items = [
            {
                "id": one,
                "snippet": {
                    "videoId": video,
                    "totalReplyCount": replies,
                    "topLevelComment": _comment(one, at),
                },
            }
            for one, (at, replies) in found[start:end]
        ]
        more = {"nextPageToken": str(end)} if end < len(found) else {}
        return {**_list("commentThread", items), **more}

    def _replies(self, query: Query) -> object:
        parent, start = query["parentId"], int(query.get("pageToken", 0))
        total = next(found[parent][1] for found in self.videos.values() if parent in found)
        end = start + self.per
        items = [_comment(f"{parent}.{n}", FETCHED_AT) for n in range(start, min(end, total))]
        # The real one gives a token on the last page, too.
        return {**_list("comment", items), "nextPageToken": str(end)}


def _list(of: str, items: list[Json]) -> Json:
    return {"kind": f"youtube#{of}ListResponse", "items": items}


def _comment(external_id: str, at: datetime) -> Json:
    said = at.isoformat()
    snippet = {"textDisplay": external_id, "publishedAt": said, "updatedAt": said}
    return {"kind": "youtube#comment", "id": external_id, "snippet": snippet}


def _ago(**values: float) -> datetime:
    return FETCHED_AT - timedelta(**values)


def test_a_first_run_reads_every_comment_and_every_reply() -> None:
    threads = {f"t{n}": (_ago(days=n), 5 if n in (1, 4) else 0) for n in range(8)}
    tube = Tube({CLEAN: threads, DIRTY: {"other": (_ago(days=1), 0)}})
    pages, _ = walk("youtube", tube, config=BOTH)
    found = {post.external_id for post in posts_of(pages)}
    replies = {f"t{thread}.{n}" for thread in (1, 4) for n in range(5)}
    assert found == {CLEAN, DIRTY, "other", *threads, *replies}
    assert len(posts_of(pages)) == len(found)  # none twice: that would look like a broken pager


def test_a_quiet_video_costs_one_unit_and_a_new_comment_one_more() -> None:
    tube = Tube({CLEAN: {"old": (_ago(days=9), 7)}, DIRTY: {"x": (_ago(days=9), 0)}})
    cursor = walk("youtube", tube, config=BOTH)[0][-1].ahead
    tube.asked.clear()
    quiet, _ = walk("youtube", tube, config=BOTH, cursor=cursor)
    assert tube.asked == ["videos"]
    tube.asked.clear()
    tube.videos[DIRTY] = {**tube.videos[DIRTY], "new": (_ago(minutes=5), 0)}
    pages, _ = walk("youtube", tube, config=BOTH, cursor=quiet[-1].ahead)
    assert tube.asked == ["videos", f"commentThreads {DIRTY}"]
    assert "new" in {post.external_id for post in posts_of(pages)}


def test_a_late_reply_below_an_old_thread_is_found_within_a_day() -> None:
    threads = {f"t{n}": (_ago(days=10 * n), 0) for n in range(9)}
    tube = Tube({CLEAN: threads})
    config = {"video_ids": [CLEAN]}
    cursor = walk("youtube", tube, config=config)[0][-1].ahead
    tube.videos[CLEAN] = {**threads, "t8": (threads["t8"][0], 1)}
    soon, _ = walk("youtube", tube, config=config, cursor=cursor, at=_ago(hours=-1))
    assert "t8.0" not in {post.external_id for post in posts_of(soon)}
    later, _ = walk("youtube", tube, config=config, cursor=soon[-1].ahead, at=_ago(hours=-26))
    assert "t8.0" in {post.external_id for post in posts_of(later)}


def test_a_run_stops_below_the_newest_comment_of_that_video() -> None:
    tube = Tube({CLEAN: {f"t{n}": (_ago(days=n), 0) for n in range(30)}})
    config = {"video_ids": [CLEAN]}
    cursor = walk("youtube", tube, config=config)[0][-1].ahead
    tube.videos[CLEAN] = {**tube.videos[CLEAN], "new": (_ago(minutes=1), 0)}
    tube.asked.clear()
    walk("youtube", tube, config=config, cursor=cursor)
    assert len(tube.asked) == 1 + 2


def test_videos_without_comments_are_told_of_once_and_end_no_run() -> None:
    threads = {"t": (_ago(days=1), 0)}
    tube = Tube({CLEAN: threads, DIRTY: {}, "kavira-0003": {}, "kavira-0004": threads})
    tube.off, tube.refused = {DIRTY}, {"kavira-0003"}
    config = {"video_ids": list(tube.videos)}
    pages, _ = walk("youtube", tube, config=config)
    again, _ = walk("youtube", tube, config=config, cursor=pages[-1].ahead)
    told = [problem.external_id for page in [*pages, *again] for problem in page.problems]
    assert sorted(filter(None, told)) == [DIRTY, "kavira-0003"]
    assert "t" in {post.external_id for post in posts_of(pages)}


def test_a_search_comes_last_and_rarely_and_never_asks_for_known_videos() -> None:
    tube = Tube({CLEAN: {"t": (_ago(days=1), 0)}})
    config = {"query": "kavira", "search_minutes": 60}
    first, _ = walk("youtube", tube, config=config)
    assert tube.asked == ["search kavira", "videos", f"commentThreads {CLEAN}"]
    assert "publishedAfter" not in tube.searched[0]
    tube.asked.clear()
    soon, _ = walk("youtube", tube, config=config, cursor=first[-1].ahead, at=_ago(minutes=-30))
    assert tube.asked == ["videos"]
    tube.asked.clear()
    walk("youtube", tube, config=config, cursor=soon[-1].ahead, at=_ago(minutes=-61))
    assert tube.asked == ["videos", "search kavira"]
    assert tube.searched[-1]["publishedAfter"] == "2026-02-28T12:00:00Z"


def test_what_is_remembered_is_bounded_and_what_the_operator_named_stays() -> None:
    memory = Memory({})
    for n in range(150):
        memory = memory.noted(f"video-{n:05}", published=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z")
        memory = memory.with_replies({f"thread-{n}-{m}": 9 for m in range(5)})
    memory = memory.noted("undated-001", newest="2026-03-01T00:00:00+00:00")
    kept = memory.bounded(always=["video-00000"])
    assert len(kept.videos) == 101
    assert {"video-00000", "video-00149"} <= kept.videos.keys()
    assert "undated-001" not in kept.videos
    assert kept.knows_replies("thread-149-4", 9)
    assert not kept.knows_replies("thread-0-0", 9)
    assert len(kept.cursor["replies"]) == 300


def test_a_cursor_of_nonsense_is_as_none() -> None:
    memory = Memory({"videos": ["x"], "newest": 7, "replies": "x", "searched_at": "soon"})
    assert (memory.videos, memory.newest(""), memory.search_after) == ({}, None, None)
    assert memory.with_replies({"t": 1}).cursor["replies"] == ["t:1"]


def test_recorded_searches_lead_to_each_of_their_videos(shared: Path) -> None:
    for name, count in (("search_by_keywords_p1", 25), ("search_videos_by_channel", 5)):
        body = unpacked(shared / "fixtures" / "youtube" / f"search__{name}.json")
        page = parse("youtube", body, config={"channel_id": "", "query": "kavira"})
        assert page.next is not None
        ids = parse_qs(urlsplit(page.next.url).query)["id"][0].split(",")
        assert len(set(ids)) == count
        assert all(f'"videoId": "{one}"'.encode() in body for one in ids)


def test_a_recorded_refusal_is_a_matter_of_the_credential(shared: Path) -> None:
    body = unpacked(shared / "fixtures" / "youtube" / "error_permission_resp.json")
    assert isinstance(explained("youtube", body, status=403), AuthError)


def _error(reason: str, **more: object) -> Json:
    return {"error": {"message": "no", "errors": [{"reason": reason}], **more}}


def test_a_spent_day_ends_at_the_next_midnight_of_california() -> None:
    spent = explained("youtube", _error("quotaExceeded"), status=403)
    assert isinstance(spent, QuotaError)
    assert spent.until == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert isinstance(explained("youtube", _error("rateLimitExceeded"), status=403), QuotaError)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (_error("keyInvalid"), 400),
        (_error("badRequest", details=[{"reason": "API_KEY_INVALID"}]), 400),
        (_error("accessNotConfigured"), 403),
        (_error("forbidden"), 403),
    ],
)
def test_a_refused_key_is_a_matter_of_the_credential(body: Json, status: int) -> None:
    assert isinstance(explained("youtube", body, status=status), AuthError)


def test_other_refusals_keep_their_meaning() -> None:
    assert type(explained("youtube", _error("channelNotFound"), status=404)) is CrawlError
    assert type(explained("youtube", _error("invalidPageToken"), status=400)) is CrawlError
    for body in (b"<html>", b"", b"[]", {"error": "no"}, {"error": {"errors": "x"}}):
        assert explained("youtube", body, status=503) is None


def test_what_is_asked_for_by_id_and_left_out_is_gone() -> None:
    known = [
        KnownPost(external_id="c1", url="u", extra={"video_id": CLEAN}),
        KnownPost(external_id="c2", url="u", extra={"video_id": CLEAN}),
        KnownPost(external_id=DIRTY, url="u"),
    ]
    request = YOUTUBE.recheck(CONFIG, known)
    assert request is not None
    assert request.url.endswith("id=c1%2Cc2")
    answer = answer_to(request, _list("comment", [_comment("c1", FETCHED_AT)]))
    page = YOUTUBE.parse_recheck(answer, CONFIG, known)
    assert page.gone == ("c2",)
    assert [post.extra["video_id"] for post in page.posts] == [CLEAN]
    alone = YOUTUBE.recheck(CONFIG, known[1:2])
    assert alone is not None
    missing = _error("commentNotFound")
    page = YOUTUBE.parse_recheck(answer_to(alone, missing, status=404), CONFIG, known[1:2])
    assert page.gone == ("c2",)
    assert YOUTUBE.parse_recheck(answer_to(request, missing, status=404), CONFIG, known).gone == ()


def test_an_answer_that_knows_none_of_several_videos_is_believed_when_it_lasts() -> None:
    videos = [f"kavira-000{n}" for n in range(1, 5)]
    cursor = {"videos": {one: {"published": "2026-01-01T00:00:00Z"} for one in videos}}
    config = YOUTUBE.config(video_ids=videos)

    def asked(*there: str, cursor: Cursor, hours: int) -> Page:
        items: list[Json] = [{"id": one, "statistics": {"commentCount": "0"}} for one in there]
        request, now = YOUTUBE.start(config, cursor=cursor), FETCHED_AT + timedelta(hours=hours)
        answer = answer_to(request, _list("video", items), at=now)
        return YOUTUBE.parse(answer, config, cursor=cursor, ahead=cursor)

    doubted = asked(cursor=cursor, hours=0)
    assert (doubted.gone, doubted.ahead["videos"].keys()) == ((), {*videos})
    assert asked(cursor=doubted.ahead, hours=1).gone == ()
    assert asked(cursor=doubted.ahead, hours=7).gone == tuple(videos)
    back = asked(*videos, cursor=doubted.ahead, hours=7)
    assert asked(cursor=back.ahead, hours=8).gone == ()
    assert asked(*videos[1:], cursor=back.ahead, hours=8).gone == (videos[0],)


def test_the_key_is_in_no_request_until_it_is_signed() -> None:
    request = YOUTUBE.start(CONFIG, cursor={})
    signed = YOUTUBE.sign(request, CONFIG, {"api_key": "s3cret"}, token=None)
    assert "s3cret" not in repr(request)
    assert signed.headers["X-Goog-Api-Key"] == "s3cret"
    assert signed.url == request.url
