"""robots.txt by RFC 9309, Retry-After, and one request at a time to a host."""

from __future__ import annotations

import base64
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.errors import GoodnameError
from crawlers.engine.robots import read_rules
from crawlers.engine.turns import Turns
from crawlers.engine.verdict import WaitError
from crawlers.errors import BlockedError
from crawlers.reading.limits import asked_wait, retry_after
from tests.crawlers import site as bad
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.site import Asked, Site, page, posts, redirect, serving, status

AGENT = "Goodname"
FORBIDS_ALL = b"User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize(
    ("body", "path", "may"),
    [
        (b"", "/a", True),
        (FORBIDS_ALL, "/a", False),
        (b"\xef\xbb\xbf" + FORBIDS_ALL, "/a", False),
        (b"User-agent: other\nDisallow: /\n", "/a", True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: goodname\nAllow: /\n", "/a", True),
        (b"User-agent: *\nDisallow: /private\nAllow: /private/open\n", "/private/x", False),
        (b"User-agent: *\nDisallow: /private\nAllow: /private/open\n", "/private/open/x", True),
        (b"User-agent: *\r\nDisallow: /*.pdf$\r\n", "/a.pdf", False),
        (b"\x00\xff\xfe nonsense", "/a", True),
        (b"<html>no robots here</html>", "/a", True),
        (b"# " + b"x" * 600_000 + b"\n" + FORBIDS_ALL, "/a", True),
    ],
)
def test_rules_are_read_as_the_rfc_says(body: bytes, path: str, may: bool) -> None:
    assert read_rules(200, body).allow(f"https://board.example{path}", agent=AGENT) is may


def test_all_lines_of_the_robots_collection_are_right(shared: Path) -> None:
    lines = (shared / "fixtures/hostile/robots/cases.jsonl").read_text("utf-8").splitlines()
    wrong = []
    for line in map(json.loads, lines):
        started = time.process_time()
        may, pause = _may_fetch(line)
        took = time.process_time() - started
        is_right = may in (line["allowed"], *line.get("also_ok", ()))
        if not is_right or not 0 <= pause <= 60 or took > line.get("time_limit_s", 1):
            wrong.append((line["id"], may, pause, took))
    assert not wrong
    assert len(lines) == 51


def _may_fetch(line: dict[str, Any]) -> tuple[bool, float]:
    try:
        rules = read_rules(line["status"], base64.b64decode(line["body_b64"]))
    except BlockedError:
        return False, 0.0
    return rules.allow(line["url"], agent=line["agent"]), rules.delay(agent=line["agent"])


def test_real_robots_files_are_read_without_a_crash(shared: Path) -> None:
    files = sorted((shared / "fixtures/hostile/robots/sites").glob("*.txt"))
    assert len(files) > 30
    for file in files:
        host = file.name.removesuffix(".robots.txt")
        rules = read_rules(200, file.read_bytes())
        assert rules.allow(f"https://{host}/robots.txt", agent=AGENT)
        assert 0 <= rules.delay(agent=AGENT) <= 60


def test_a_host_may_ask_for_a_pause_within_reason() -> None:
    rules = read_rules(200, b"User-agent: *\nCrawl-delay: 3\n")
    assert rules.delay(agent=AGENT) == 3
    assert read_rules(200, b"User-agent: *\nCrawl-delay: 86400\n").delay(agent=AGENT) == 60
    assert read_rules(404, b"").delay(agent=AGENT) == 0


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_no_robots_txt_allows_everything(code: int) -> None:
    assert read_rules(code, FORBIDS_ALL).allow("https://board.example/a", agent=AGENT)


@pytest.mark.parametrize("code", [429, 500, 502, 503, 599])
def test_a_broken_robots_txt_forbids_everything(code: int) -> None:
    with pytest.raises(GoodnameError, match=r"robots\.txt unreachable"):
        read_rules(code, b"User-agent: *\nAllow: /\n")


def test_what_robots_txt_forbids_is_not_fetched(crawler: Crawler, new_site: Site) -> None:
    new_site.pages["/robots.txt"] = page(FORBIDS_ALL)
    new_site.pages["/1"] = page(posts(("a", "text")))
    run = crawler.crawl(crawler.source(f"{new_site.url}/1"))
    assert (run.outcome, "robots.txt forbids" in (run.reason or "")) == ("blocked", True)
    assert new_site.paths() == []


@pytest.mark.parametrize(
    "answer", [status("500 Oops"), bad.never_answers, bad.drips], ids=["500", "silent", "slow"]
)
def test_nothing_is_fetched_while_robots_txt_cannot_be_had(
    answer: bad.Answer, crawler: Crawler, new_site: Site
) -> None:
    new_site.pages["/robots.txt"] = answer
    new_site.pages["/1"] = page(posts(("a", "text")))
    source = crawler.source(f"{new_site.url}/1")
    run = crawler.crawl(source)
    is_named = "robots.txt unreachable" in (run.reason or "")
    assert (run.outcome, is_named) == ("blocked", True), run.reason
    assert new_site.paths() == []
    new_site.pages["/robots.txt"] = redirect("/elsewhere.txt")
    new_site.pages["/elsewhere.txt"] = page("User-agent: *\nAllow: /\n")
    assert crawler.crawl(source).outcome == "ok"


def test_robots_txt_is_asked_for_once_for_many_runs(crawler: Crawler, new_site: Site) -> None:
    new_site.pages["/1"] = page(posts(("a", "text")))
    source = crawler.source(f"{new_site.url}/1")
    for _ in range(3):
        assert crawler.crawl(source).outcome == "ok"
    assert [one.path for one in new_site.asked].count("/robots.txt") == 1


def test_two_sources_on_one_host_take_turns(crawler: Crawler, site: Site) -> None:
    at_once = 0
    most = 0

    def slow(asked: Asked) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.3)
        at_once -= 1
        asked.answer(body=posts(("a", "text")))

    for path in ("/1", "/2", "/3"):
        site.pages[path] = slow
    jobs = [crawler.send(crawler.source(f"{site.url}{path}")) for path in ("/1", "/2", "/3")]
    assert sorted(crawler.heard().job for _ in jobs) == jobs
    assert most == 1


@pytest.mark.parametrize("code", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_site_is_left_alone_for_as_long_as_it_asks(
    code: str, engine: Engine, database_url: str
) -> None:
    with serving() as site, child(engine, database_url, site) as crawler:
        site.pages["/1"] = status(code, Retry_After="3600")
        site.pages["/2"] = page(posts(("a", "text")))
        source = crawler.source(f"{site.url}/1", interval_seconds=60)
        run = crawler.crawl(source)
        assert (run.outcome, code[:3] in (run.reason or "")) in (("blocked", True), ("error", True))
        due = crawler.row(source).next_due_at
        assert due is not None
        assert due >= run.started_at + timedelta(seconds=3600)
        neighbour = crawler.source(f"{site.url}/2", interval_seconds=60)
        held = crawler.crawl(neighbour)
        assert "asked to wait" in (held.reason or "")
        held_until = crawler.row(neighbour).next_due_at
        assert held_until is not None
        assert abs(held_until - due) < timedelta(seconds=5)
        assert site.paths() == ["/1"]


def test_retry_after_is_seconds_or_a_date_within_a_day(now: datetime) -> None:
    assert retry_after("120", now=now) == now + timedelta(minutes=2)
    assert retry_after("Mon, 02 Mar 2026 12:30:00 GMT", now=now) == now + timedelta(minutes=30)
    assert retry_after("Mon, 02 Mar 2020 12:30:00 GMT", now=now) == now
    assert retry_after("99999999999999999999", now=now) == now + timedelta(days=1)
    assert retry_after("Mon, 02 Mar 2099 12:30:00 GMT", now=now) == now + timedelta(days=1)
    for nonsense in ("", "soon", "-5", "1.5", "\u0663"):
        assert retry_after(nonsense, now=now) is None


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {}, None),
        (200, {"retry-after": "90"}, 90),
        (429, {"retry-after": "90"}, 90),
        (503, {"retry-after": "soon"}, None),
        # X: seconds since 1970, and no Retry-After.
        (200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1772453400"}, 601),
        (200, {"x-rate-limit-remaining": "1", "x-rate-limit-reset": "1772453400"}, None),
        (429, {"x-rate-limit-reset": "1772453400"}, 601),
        # Reddit: fractions, and seconds from now.
        (200, {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "235"}, 236),
        # Mastodon: a date.
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-02T12:05:00Z"}, 300),
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": "1772453400000"}, 601),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "10", "retry-after": "60"}, 60),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000000"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, None),
        (200, {"x-ratelimit-remaining": "many", "x-ratelimit-reset": "10"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1e300"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"}, 86_400),
    ],
)
def test_a_used_up_limit_is_a_wish_to_wait_on_every_status(
    status: int, headers: dict[str, str], seconds: int | None, now: datetime
) -> None:
    until = asked_wait(status, headers, now=now)
    assert until == (None if seconds is None else now + timedelta(seconds=seconds))


async def test_a_used_up_limit_holds_the_host_and_is_no_trouble_of_it(now: datetime) -> None:
    turns = Turns(delay_seconds=0, clock=lambda: now)
    turns.heed("api.example", 200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "900"})
    with pytest.raises(WaitError) as caught:
        async with turns.turn("api.example"):
            pass
    assert caught.value.outcome == "quota"
    # A shorter wish does not shorten a longer one.
    turns.heed("api.example", 503, {"retry-after": "5"})
    with pytest.raises(WaitError):
        async with turns.turn("api.example"):
            pass


async def test_a_slow_host_is_asked_less_often_and_a_quick_error_changes_nothing() -> None:
    turns = Turns(delay_seconds=0, clock=lambda: datetime.now(UTC), longest_delay_seconds=0.2)

    async def paused() -> float:
        began = time.monotonic()
        async with turns.turn("board.example"):
            return time.monotonic() - began

    await paused()
    turns.note_latency("board.example", 0.1, is_page=True)
    await paused()
    assert await paused() >= 0.08
    turns.note_latency("board.example", 0.0, is_page=False)
    await paused()
    assert await paused() >= 0.08
    turns.note_latency("board.example", 60.0, is_page=True)
    await paused()
    assert 0.16 <= await paused() < 5
    for _ in range(8):
        turns.note_latency("board.example", 0.0, is_page=True)
    await paused()
    assert await paused() < 0.1


async def test_a_short_wait_is_waited_for_within_the_run() -> None:
    turns = Turns(delay_seconds=0, clock=lambda: datetime.now(UTC))
    turns.heed("board.example", 200, {"retry-after": "1"})
    began = time.monotonic()
    async with turns.turn("board.example"):
        assert time.monotonic() - began >= 0.8


async def test_a_host_that_asked_to_wait_is_not_asked_before() -> None:
    clock = [datetime(2026, 3, 2, 12, 0, tzinfo=UTC)]
    turns = Turns(delay_seconds=0, clock=lambda: clock[0])
    until = clock[0] + timedelta(minutes=5)
    turns.hold("board.example", until=until)
    with pytest.raises(WaitError) as caught:
        async with turns.turn("board.example"):
            pass
    assert caught.value.until == until
    async with turns.turn("other.example"):
        pass
    clock[0] = until
    async with turns.turn("board.example"):
        pass


async def test_requests_to_a_host_keep_the_pause_between_them() -> None:
    turns = Turns(delay_seconds=0.05, clock=lambda: datetime.now(UTC))
    started = []
    for _ in range(4):
        async with turns.turn("board.example"):
            started.append(time.monotonic())
    assert all(later - earlier >= 0.04 for earlier, later in itertools.pairwise(started))
