"""Ways in which a site breaks, and a crawl of it as the engine does it, without a network."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from crawlers.catalogue import spiders
from crawlers.contract import Cursor, Fetched
from crawlers.engine.profile import Profile, brings_nothing, garbled_in, with_page
from crawlers.engine.suspicion import Earlier, spoils, weigh
from crawlers.engine.verdict import (
    Tally,
    Verdict,
    of_error,
    of_garbled_run,
    of_repeated_page,
    of_unreadable_run,
    of_whole_run,
)
from crawlers.errors import CrawlError
from crawlers.families.forum import TopicSpider
from tests.crawlers import growing
from tests.crawlers.growing import Board, Draw, Said, sentence
from tests.crawlers.redrawn import REDRAWN
from tests.crawlers.saved_pages import config_of

#: What a site says to a request: its address, and its place in the run, counted from 0.
Answer = Callable[[str, int], bytes]
_MOST_PAGES = 50

DRAWN: Final[dict[str, Draw]] = {
    "consumeraffairs": growing.cards,
    "trustpilot": growing.state,
    "feed": growing.feed,
    "hackernews": growing.search,
}


@dataclass
class Source:
    """What the engine remembers of one source."""

    kind: str
    cursor: Cursor = field(default_factory=dict)
    past: list[Earlier] = field(default_factory=list)

    def crawl(self, answer: Answer, *, now: datetime) -> Verdict:
        """One run, kept in the past as ``crawl_run`` keeps it."""
        verdict, profile, ahead = self._followed(answer, now)
        stored: dict[str, Any] = {}
        if profile is not None:
            promise = spiders()[self.kind].promise
            verdict, stored = weigh(verdict, profile, promise=promise, past=self.past, now=now)
            self.past.insert(0, Earlier(at=now, is_ok=verdict.outcome == "ok", profile=stored))
        json.dumps(stored)
        if verdict.is_whole:
            self.cursor = ahead
        return verdict

    def _followed(self, answer: Answer, now: datetime) -> tuple[Verdict, Profile | None, Cursor]:
        spider, ahead = spiders()[self.kind], self.cursor
        config = spider.config(**config_of(self.kind))
        request = spider.start(config, cursor=self.cursor)
        profile, tally = Profile(), Tally()
        drawn, most = (
            REDRAWN.get(self.kind),
            _MOST_PAGES if self.kind in DRAWN else pages_of(self.kind),
        )
        for number in range(most):
            fetched = Fetched(
                url=request.url, status=200, headers=drawn.headers if drawn else {},
                body=answer(request.url, number), fetched_at=now, state=request.state,
                time_zone=drawn.zone if drawn else "UTC",
            )  # fmt: skip
            try:
                page = spider.parse(fetched, config, cursor=self.cursor, ahead=ahead)
            except CrawlError as error:
                return of_error(error), None, {}
            garbled = garbled_in(page.posts)
            if spoils(garbled, len(page.posts), self.past):
                return of_garbled_run(garbled, len(page.posts)), None, {}
            before, profile = (
                profile,
                with_page(profile, page, promise=spider.promise, fetched_at=now, key=request.url),
            )
            tally = Tally(
                pages=tally.pages + 1,
                seen=tally.seen + len(page.posts),
                dead=tally.dead + len(page.problems),
                announced=page.announced if tally.announced is None else tally.announced,
            )
            ahead = page.ahead
            if brings_nothing(page, before=before, after=profile):
                return of_repeated_page(request.url), profile, {}
            if page.dead_end is not None and number + 1 < most:
                return of_error(page.dead_end), None, {}
            if page.next is None or number + 1 == most:
                return of_whole_run(tally, is_resumed=False), profile, ahead
            if tally.is_hopeless:
                return of_unreadable_run(tally), None, {}
            request = page.next
        raise AssertionError("the run does not end")


PER_PAGE: Final = 10


def draw(kind: str, posts: Sequence[Said], url: str, number: int) -> str:
    """The page of a run; one of a form shows ten posts, and a run reads two of them."""
    drawn = DRAWN.get(kind)
    return REDRAWN[kind].drawn(_shown(posts, number)) if drawn is None else drawn(posts, url)


def pages_of(kind: str) -> int:
    """How many pages are drawn: a topic is read from its last one on."""
    return 1 if issubclass(type(spiders()[kind]), TopicSpider) or kind == "forumhr" else 2


def _shown(posts: Sequence[Said], number: int) -> Sequence[Said]:
    return posts[number * PER_PAGE : (number + 1) * PER_PAGE]


def healthy(board: Board, kind: str) -> Answer:
    """The site as it is."""
    return lambda url, number: draw(kind, board.posts, url, number).encode()


Mutation = Callable[[Board, str], Answer]


def _pages(change: Callable[[str, str], str]) -> Mutation:
    def mutated(board: Board, kind: str) -> Answer:
        return lambda url, number: change(draw(kind, board.posts, url, number), kind).encode()

    return mutated


def _instead(page: str) -> Mutation:
    return lambda _board, _kind: lambda _url, _number: page.encode()


def _posts(change: Callable[[list[Said], Board], list[Said]]) -> Mutation:
    def mutated(board: Board, kind: str) -> Answer:
        return lambda url, number: draw(kind, change(board.posts, board), url, number).encode()

    return mutated


def _zero(page: str, kind: str) -> str:
    """The frame of the page without what it is for."""
    if kind in REDRAWN:
        return REDRAWN[kind].drawn(())
    if kind == "consumeraffairs":
        return re.sub(r'<div class="rvw".*(?=</div></body>)', "", page, flags=re.S)
    if kind == "trustpilot":
        return re.sub(r'"reviews": \[.*?\], "filters": .*\}\}\}', '"reviews": []}}}', page)
    if kind == "feed":
        return re.sub(r"<item>.*</item>", "", page)
    return json.dumps(json.loads(page) | {"hits": [], "nbHits": 0, "nbPages": 0})


#: A redesign: the mark of the author, or of the whole item, has another name.
_RENAMED = {
    "consumeraffairs": ('class="rvw"', 'class="review-card"'),
    "trustpilot": ('"consumer"', '"reviewer"'),
    "feed": ("author>", "creator>"),
    "hackernews": ('"author"', '"user"'),
}


def _empty_json(page: str, kind: str) -> str:
    if kind in REDRAWN:
        return "{}"
    if kind == "trustpilot":
        return re.sub(r'(json">).*(</script>)', r"\1{}\2", page)
    return "{}" if kind == "hackernews" else _zero(page, kind)


def _translated(posts: list[Said], board: Board) -> list[Said]:
    draw = random.Random(7)
    return [replace(post, text=sentence(draw, "pl")) for post in posts]


def _garbled(posts: list[Said], board: Board) -> list[Said]:
    """A server that reads its own UTF-8 as cp1252; English has its quotation marks and dashes."""
    return [
        replace(post, text=f"„{post.text}” – naïve".encode().decode("cp1252", "replace"))
        for post in posts
    ]


def _frozen(board: Board, kind: str) -> Answer:
    stale = list(board.posts)
    return lambda url, number: draw(kind, stale, url, number).encode()


def _renamed(board: Board, kind: str) -> Answer:
    if kind in REDRAWN:
        form = REDRAWN[kind].renamed
        return lambda _url, number: form.drawn(_shown(board.posts, number)).encode()
    return _pages(lambda page, kind: page.replace(*_RENAMED[kind]))(board, kind)


def _repeated(board: Board, kind: str) -> Answer:
    if kind in REDRAWN:
        return lambda url, _number: draw(kind, board.posts, url, 0).encode()

    def answer(url: str, _number: int) -> bytes:
        first = re.sub(r"([?&])page=\d+", r"\1page=1", url)
        page = DRAWN[kind](board.posts, first)
        number = re.search(r"[?&]page=(\d+)", url)
        if kind == "consumeraffairs" and number:
            page = page.replace("?page=2", f"?page={int(number[1]) + 1}")
        return page.encode()

    return answer


_WALL = "<html><head><title>Log in</title></head><body><input type='password'></body></html>"
_SOFT_404 = "<html><head><title>Page not found</title></head><body>Sorry!</body></html>"
_CAPTCHA = (
    "<html><head><title>Just a moment...</title></head><body><script src='/cdn-cgi/"
    "challenge-platform/x.js'></script></body></html>"
)

MUTATIONS: Final[dict[str, Mutation]] = {
    "zero items": _pages(_zero),
    "renamed class": _renamed,
    "login wall": _instead(_WALL),
    "soft 404": _instead(_SOFT_404),
    "captcha as 200": _instead(_CAPTCHA),
    "frozen feed": _frozen,
    "lost dates": _posts(lambda posts, _: [replace(post, at=None) for post in posts]),
    "half the count": _posts(lambda posts, _: posts),  # drawn by ``halved``
    "wrong charset": _posts(_garbled),
    "repeated page": _repeated,
    "empty JSON": _pages(_empty_json),
    "other language": _posts(_translated),
}


def halved(board: Board, kind: str) -> Answer:
    """Every second item of a page is lost, and the page itself says nothing about it."""

    if kind in REDRAWN:
        return lambda _url, number: REDRAWN[kind].drawn(_shown(board.posts, number)[::2]).encode()

    def answer(url: str, _number: int) -> bytes:
        page = DRAWN[kind](board.posts, url)
        if kind == "consumeraffairs":
            parts = page.split('<div class="rvw"')
            kept = [parts[0], *(f'<div class="rvw"{part}' for part in parts[1::2])]
            return ("".join(kept) + "</div></body></html>").encode()
        if kind == "feed":
            items = re.findall(r"<item>.*?</item>", page)
            return re.sub(r"<item>.*</item>", "".join(items[::2]).replace("\\", ""), page).encode()
        told = json.loads(re.findall(r">(\{.*\})<", page)[0]) if kind == "trustpilot" else None
        if told is not None:
            props = told["props"]["pageProps"]
            props["reviews"] = props["reviews"][::2]
            return re.sub(r">\{.*\}<", lambda _: f">{json.dumps(told)}<", page).encode()
        hits = json.loads(page)
        return json.dumps(hits | {"hits": hits["hits"][::2]}).encode()

    return answer


MUTATIONS["half the count"] = halved
