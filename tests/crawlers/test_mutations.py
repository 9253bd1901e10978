"""A source that goes blind is named, and one that is only quiet is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.models import CrawlRun
from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Page, Promise
from crawlers.engine.profile import Profile, with_page
from crawlers.engine.suspicion import USUAL_AFTER, Earlier, weigh
from crawlers.engine.verdict import Tally, of_whole_run
from tests.crawlers import hurried
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.growing import BEGAN, Board, Habits, Said
from tests.crawlers.mutating import DRAWN, MUTATIONS, Source, healthy
from tests.crawlers.redrawn import NOT_DRAWN, REDRAWN
from tests.crawlers.site import Asked, Site
from tests.databases import Databases
from tests.factories import add_source

DAY = timedelta(days=1)
ALL = sorted([*DRAWN, *REDRAWN])
#: The one mutation that a kind may miss, and why it can.
_ONE_PAGE = (
    "repeated page",
    "one page is drawn: a feed has no more, a topic is read from its last",
)
_A_SEARCH = ("half the count", "how many hits a search for what is new has is up to people")
MAY_MISS = {
    "bbb": _ONE_PAGE,
    "bluesky": _A_SEARCH,
    "consumeraffairs": ("frozen feed", "its dates are days, so that it looks like a quiet week"),
    "feed": _ONE_PAGE,
    "forumhr": _ONE_PAGE,
    "google-business": _ONE_PAGE,
    "gowork": _ONE_PAGE,
    "hackernews": _A_SEARCH,
    "reddit-feed": _ONE_PAGE,
    "vbulletin": _ONE_PAGE,
    "wordpress": _A_SEARCH,
    "xenforo": _ONE_PAGE,
}
#: A frozen page is told from a quiet one by the time that passes: quicker where much is said.
_PER_DAY = {"consumeraffairs": 3.0}


def _warm(kind: str, *, seed: int = 1, runs: int = 16) -> tuple[Board, Source]:
    """A source that was healthy for so many days."""
    busy = Habits(per_day=_PER_DAY.get(kind, 12.0), quiet_days=0.0, anonymous=0.02)
    board, source = Board(seed, busy), Source(kind)
    for _ in range(runs):
        board.live(until=board.now + DAY)
        assert source.crawl(healthy(board, kind), now=board.now).outcome == "ok"
    return board, source


def _named(mutation: str, board: Board, source: Source) -> str:
    """The outcome and the run that named a mutation; empty when two did not."""
    answer = MUTATIONS[mutation](board, source.kind)
    for run in (1, 2):
        board.live(until=board.now + DAY)
        verdict = source.crawl(answer, now=board.now)
        assert not (verdict.outcome != "ok" and verdict.is_whole), "a blind run moved the cursor"
        if verdict.outcome != "ok":
            assert verdict.reason
            return f"{verdict.outcome.value} {run}"
    return ""


#: What a mutation may be called; all others are *drift*.
_CALLED = {"login wall": "blocked", "captcha as 200": "blocked"}


@pytest.mark.parametrize(("kind", "seed"), [*((kind, 1) for kind in ALL), *((k, 2) for k in DRAWN)])
def test_every_mutation_is_named_within_two_runs(kind: str, seed: int) -> None:
    board, source = _warm(kind, seed=seed)
    named = {one: _named(one, deepcopy(board), deepcopy(source)) for one in MUTATIONS}
    # ``pytest -s`` shows the table of kinds and mutations.
    row = [kind, *(f"{mutation}: {said or 'missed'}" for mutation, said in named.items())]
    sys.stdout.write(" | ".join(row) + "\n")
    missed = {mutation for mutation, said in named.items() if not said}
    assert len(MUTATIONS) == 12
    assert missed <= {MAY_MISS.get(kind, ("", ""))[0]}, named
    for mutation, said in named.items():
        known = {"", "drift", _CALLED.get(mutation, "drift")}
        assert said.partition(" ")[0] in known, (mutation, said)


def test_every_kind_is_drawn_or_it_is_said_why_not() -> None:
    assert {*ALL, *NOT_DRAWN} == set(spiders())
    assert not {*ALL} & {*NOT_DRAWN}


@pytest.mark.parametrize("shape", ["list", "feed", "window"])
def test_healthy_runs_are_left_alone(shape: str) -> None:
    """200 runs of each life in each shape: growth, quiet days, edits, deletions, no author."""
    alarms = [
        (seed, alarm)
        for seed, (hours, habits) in enumerate(_LIVES)
        for alarm in _alarms(shape, seed, timedelta(hours=hours), habits, runs=200)
    ]
    for seed in range(len(_LIVES)):
        assert sum(one == seed for one, _ in alarms) <= 1, alarms


_LIVES = [
    (1, Habits(per_day=2)),
    (6, Habits(per_day=4, quiet_days=0.1)),
    (24, Habits(per_day=0.5, deleted=0.01)),
    (24, Habits(per_day=5, edited=0.1, anonymous=0.5)),
]


def _alarms(shape: str, seed: int, step: timedelta, habits: Habits, *, runs: int) -> list[str]:
    board, past = Board(seed, habits), list[Earlier]()
    newest, alarms = None, list[str]()
    for _ in range(runs):
        board.live(until=board.now + step)
        profile = Profile()
        for key, said in _pages(shape, board, newest):
            profile = _read(profile, said, key=key, now=board.now)
        verdict = of_whole_run(Tally(seen=profile.posts, announced=profile.posts), is_resumed=False)
        weighed, stored = weigh(verdict, profile, promise=PROMISE, past=past[:30], now=board.now)
        past.insert(0, Earlier(at=board.now, is_ok=weighed.outcome == "ok", profile=stored))
        alarms += [weighed.reason] if weighed.outcome != "ok" else []
        if weighed.is_whole and profile.newest:
            newest = max(filter(None, (newest, profile.newest)))
    return alarms


PROMISE = Promise(filled={"rating": 0.9})


def _pages(shape: str, board: Board, newest: object) -> list[tuple[str, list[Said]]]:
    if shape == "feed":
        return [("feed", board.posts[:30])]
    if shape == "window":
        since = newest - timedelta(hours=3) if newest else BEGAN  # type: ignore[operator]
        return [(str(since), [post for post in board.posts if post.at and post.at > since])]
    return [(f"page {start}", board.posts[start : start + 10]) for start in (0, 10)]


def _read(profile: Profile, said: list[Said], *, key: str, now: object) -> Profile:
    page = Page(posts=tuple(_post(one) for one in said), announced=len(said))
    return with_page(profile, page, promise=PROMISE, fetched_at=now, key=key)  # type: ignore[arg-type]


def _post(one: Said) -> Post:
    return Post(
        external_id=str(one.id), text=one.text, url="https://board.example/", author=one.author,
        published_at=one.at, rating=float(one.rating),
    )  # fmt: skip


def test_what_is_so_for_seven_runs_is_how_the_source_is() -> None:
    board, source = _warm("feed")
    answer = MUTATIONS["half the count"](board, "feed")
    outcomes = []
    for _ in range(USUAL_AFTER + 1):
        board.live(until=board.now + timedelta(hours=1))
        outcomes.append(source.crawl(answer, now=board.now).outcome.value)
    assert outcomes == ["drift"] * (USUAL_AFTER - 1) + ["ok"] * 2


def test_a_promise_is_never_got_used_to() -> None:
    board, source = _warm("trustpilot")
    answer = MUTATIONS["repeated page"](board, "trustpilot")
    for _ in range(USUAL_AFTER + 2):
        board.live(until=board.now + timedelta(hours=1))
        assert source.crawl(answer, now=board.now).outcome == "drift"


def test_a_source_that_is_well_again_is_ok_at_once() -> None:
    board, source = _warm("feed")
    board.live(until=board.now + DAY)
    assert source.crawl(MUTATIONS["zero items"](board, "feed"), now=board.now).outcome == "drift"
    board.live(until=board.now + DAY)
    assert source.crawl(healthy(board, "feed"), now=board.now).outcome == "ok"


def test_the_first_run_is_held_against_the_promise_only() -> None:
    posts = tuple(_post(Said(n, None, None, "They are slow.", 1)) for n in range(20))
    profile = with_page(Profile(), Page(posts=posts), promise=Promise(), fetched_at=BEGAN, key="1")
    verdict = of_whole_run(Tally(seen=20), is_resumed=False)
    assert weigh(verdict, profile, promise=Promise(), past=(), now=BEGAN)[0].outcome == "ok"
    promise = Promise(filled={"author": 0.9})
    weighed, stored = weigh(verdict, profile, promise=promise, past=(), now=BEGAN)
    assert (weighed.outcome, weighed.is_whole) == ("drift", False)
    assert weighed.reason == "author says something in 0 of 20 posts only"
    assert stored["found"] == ["unfilled:author"]
    ahead = replace(profile, ahead=20)
    assert weigh(verdict, ahead, promise=Promise(), past=(), now=BEGAN)[0].outcome == "drift"


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a hurried child reads what time it is."""
    path = tmp_path / "clock"
    monkeypatch.setenv(hurried.CLOCK, str(path))
    return path


@pytest.fixture
def crawler(databases: Databases, site: Site, clock: Path) -> Iterator[Crawler]:
    """A child for which weeks are seconds, on a database of its own."""
    command = (sys.executable, "-m", "tests.crawlers.hurried")
    with databases.lent() as url:
        engine = owner_engine(url)
        with child(engine, url, site, command=command) as crawler:
            yield crawler
        engine.dispose()


def test_a_real_crawl_of_each_mutation_is_named(crawler: Crawler, site: Site, clock: Path) -> None:
    """Over HTTP into Postgres, one run a day; the site is healthy for a day between two of them."""
    board = Board(3, Habits(per_day=12.0, quiet_days=0.0, anonymous=0.02))
    board.posts = board.posts[:30]
    well = shown = healthy(board, "trustpilot")
    site.pages["/review/kavira.example"] = lambda asked: asked.answer(body=_of(asked))

    def _of(asked: Asked) -> bytes:
        return shown(asked.path, 0)

    def crawl() -> CrawlRun:
        board.live(until=board.now + DAY)
        clock.write_text(board.now.isoformat())
        return crawler.crawl(source)

    with Session(crawler.engine) as session, session.begin():
        params = {"domain": "kavira.example", "base_url": site.url}
        source = add_source(session, kind="trustpilot", params=params).id
    for _ in range(16):
        run = crawl()
        assert run.outcome == "ok", run.reason
    named = {}
    # Frozen first: after days on which nothing could be read, a still page tells less.
    for mutation in sorted(MUTATIONS, key=lambda one: one != "frozen feed"):
        before, shown = crawler.row(source).cursor, MUTATIONS[mutation](board, "trustpilot")
        runs = [crawl()]
        runs += [crawl()] if runs[0].outcome == "ok" else []
        named[mutation] = [(run.outcome, run.reason) for run in runs]
        if runs[0].outcome != "ok":
            assert crawler.row(source).cursor == before
        shown = well
        run = crawl()
        assert run.outcome == "ok", (mutation, run.reason)
    missed = [one for one, ends in named.items() if ends[-1][0] not in ("drift", "blocked")]
    assert (len(named), missed) == (12, []), named
    assert "may be frozen" in (named["frozen feed"][-1][1] or "")
    assert crawler.row(source).failures == 0
    # A garbled page is not kept as an edit of all that stands on it.
    assert not [text for text in crawler.texts(source) if "Ã" in text]
