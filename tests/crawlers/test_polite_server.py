"""A server judges us by its own log: several runs of several sources, and not one rudeness."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine

from crawlers.engine.robots import read_rules
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.site import Answer, Asked, Site, posts, serving

ROBOTS = b"User-agent: *\nDisallow: /private\nAllow: /private/open\nDisallow: /*.pdf$\n"
UNCHANGED = 6
RUNS = 6
PAUSE = 0.1


@dataclass
class Log:
    """What a server can know of a visitor."""

    site: Site
    statuses: list[tuple[str, int]] = field(default_factory=list)
    most_at_once: int = 0
    forbidden: list[str] = field(default_factory=list)
    too_early: list[str] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    _at_once: int = 0
    _left_alone_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, answer: Answer) -> Answer:
        """An answer that takes a moment, in which a second request would be seen."""

        def watched(asked: Asked) -> None:
            with self._lock:
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                self.began.append(asked.at)
                if asked.at < self._left_alone_until:
                    self.too_early.append(asked.path)
                if not read_rules(200, ROBOTS).allow(f"{self.site.url}{asked.path}", agent="G"):
                    self.forbidden.append(asked.path)
            time.sleep(0.03)
            with self._lock:
                self._at_once -= 1
            answer(asked)

        return watched

    def unchanged(self, body: str) -> Answer:
        """A page that never changes and has an ETag."""

        def answer(asked: Asked) -> None:
            is_known = asked.headers.get("if-none-match") == '"1"'
            self.statuses.append((asked.path, 304 if is_known else 200))
            if is_known:
                asked.answer("304 Not Modified", ETag='"1"')
            else:
                asked.answer(body=body, ETag='"1"')

        return answer

    def please_wait(self, status: str, seconds: int) -> Answer:
        """A page that asks to be left alone."""

        def answer(asked: Asked) -> None:
            asked.answer(status, posts(("w", "text")), Retry_After=str(seconds))
            self._left_alone_until = time.monotonic() + seconds

        return answer


def test_a_server_has_nothing_to_complain_of(engine: Engine, database_url: str) -> None:
    with serving() as site:
        log = Log(site)
        site.pages["/robots.txt"] = log.watch(lambda asked: asked.answer(body=ROBOTS))
        for number in range(UNCHANGED):
            body = posts((f"p{number}", "text"))
            site.pages[f"/{number}"] = log.watch(log.unchanged(body))
        for path in ("/private/x", "/a.pdf", "/private/open"):
            site.pages[path] = log.watch(lambda asked: asked.answer(body=posts(("o", "text"))))
        # A list that may be read names a page that may not.
        leads_astray = posts(("l", "text"), following=f"{site.url}/private/next")
        site.pages["/list"] = log.watch(lambda asked: asked.answer(body=leads_astray))
        site.pages["/private/next"] = site.pages["/private/x"]
        with child(
            engine, database_url, site, delay_seconds=PAUSE, timeout_seconds=20.0
        ) as crawler:
            _visit(crawler, site)
            _be_told_to_wait(crawler, site, log)
        assert log.forbidden == []
        assert log.most_at_once == 1
        assert log.too_early == []
        assert [one.path for one in site.asked].count("/robots.txt") == 1
        pauses = [later - earlier for earlier, later in itertools.pairwise(sorted(log.began))]
        assert min(pauses) >= PAUSE * 0.8
        assert all("goodname" in one.headers["user-agent"].lower() for one in site.asked)
        again = [status for _, status in log.statuses[UNCHANGED : UNCHANGED * RUNS]]
        assert len(again) == UNCHANGED * (RUNS - 1)
        assert again.count(304) / len(again) >= 0.9


def _visit(crawler: Crawler, site: Site) -> None:
    """Run after run, all sources at once."""
    allowed = [crawler.source(f"{site.url}/{number}") for number in range(UNCHANGED)]
    others = {
        crawler.source(f"{site.url}{path}"): outcome
        for path, outcome in (
            ("/private/x", "blocked"),
            ("/a.pdf", "blocked"),
            ("/list", "blocked"),
            ("/private/open", "ok"),
        )
    }
    for _ in range(RUNS):
        jobs = [crawler.send(source) for source in (*allowed, *others)]
        assert sorted(crawler.heard().job for _ in jobs) == sorted(jobs)
        assert {crawler.last_run(source).outcome for source in allowed} == {"ok"}
        assert {source: crawler.last_run(source).outcome for source in others} == others
    assert crawler.texts(allowed[0]) == ["text"]


def _be_told_to_wait(crawler: Crawler, site: Site, log: Log) -> None:
    """An answer that asks for seconds is waited for, one that asks for more ends the visit."""
    source = crawler.source(f"{site.url}/0")
    for status in ("200 OK", "503 Service Unavailable"):
        site.pages["/wait"] = log.watch(log.please_wait(status, 2))
        crawler.crawl(crawler.source(f"{site.url}/wait"))
        crawler.crawl(source)
    site.pages["/wait"] = log.watch(log.please_wait("429 Too Many Requests", 3600))
    crawler.crawl(crawler.source(f"{site.url}/wait"))
    for _ in range(3):
        assert "asked to wait" in (crawler.crawl(source).reason or "")
