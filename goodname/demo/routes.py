"""Which address shows what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from goodname.demo import board, bureau, forum, reviews, social
from goodname.demo.inbox import Inbox
from goodname.demo.ledger import Ledger
from goodname.demo.page import Place, missing, page, style
from goodname.demo.posts import Site
from goodname.demo.web import CSS, PLAIN, Request, Response, as_json

# The two lists of truth are for tests and people: a crawler that obeys robots.txt never sees them.
ROBOTS = b"User-agent: *\nDisallow: /world.json\nDisallow: /ledger.json\nAllow: /\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Everything that one server shows and remembers."""

    place: Place
    ledger: Ledger
    inbox: Inbox

    @property
    def now(self) -> datetime:
        """The time in this world."""
        return self.place.world.clock()

    def begun(self) -> Demo:
        """The same, with its story beginning now."""
        world = replace(self.place.world, started_at=self.now)
        return replace(self, place=replace(self.place, world=world))


# What people look at before anybody watches the sites.
_BACKSTAGE = re.compile(
    r"/|/robots\.txt|/style\.css|/inbox(\.json|/webhook)?|/(world|ledger)\.json"
)


def is_site(path: str) -> bool:
    """Whether an address belongs to one of the sites."""
    return _BACKSTAGE.fullmatch(path) is None


Handler = Callable[[Request, Demo, re.Match[str]], Response]


def respond(request: Request, demo: Demo) -> Response:
    """Answer one request."""
    allowed: set[str] = set()
    for method, pattern, handler in _ROUTES:
        match = pattern.fullmatch(request.path)
        if match is None:
            continue
        if request.method == method or (request.method, method) == ("HEAD", "GET"):
            return handler(request, demo, match)
        allowed |= {method, "HEAD"} if method == "GET" else {method}
    if allowed:
        return Response(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            headers={"Allow": ", ".join(sorted(allowed))},
            content_type=PLAIN,
        )
    return missing(demo.place)


def _start(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return page(
        "start.html.j2",
        place=demo.place,
        letters=len(demo.inbox.letters()),
        bureau=f"{bureau.ROOT}/{bureau.profile(demo.place.world.names.brand)}/complaints",
    )


def _robots(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return Response(body=ROBOTS, content_type=PLAIN, changed_at=demo.place.world.started_at)


def _style(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return Response(body=style(), content_type=CSS, changed_at=demo.place.world.started_at)


def _board_company(request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return board.company_page(request, demo.place, category=match[1], company=match[2])


def _board_review(_request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return board.review_page(demo.place, review_id=match[1])


def _bureau_complaints(request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return bureau.complaints_page(request, demo.place, asked_profile=match[1])


def _reviews_company(request: Request, demo: Demo, match: re.Match[str]) -> Response:
    if demo.place.world.is_shut(Site.REVIEWS):
        return page("challenge.html.j2", place=demo.place, site=Site.REVIEWS)
    return reviews.company_page(request, demo.place, domain=match[1])


def _reviews_review(_request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return reviews.review_page(demo.place, review_id=match[1])


def _forum_feed(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return forum.feed(demo.place)


def _forum_index(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return forum.index(demo.place)


def _forum_thread(_request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return forum.thread(demo.place, slug=match[1])


def _social_search(request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return social.search_by_date(request, demo.place)


def _social_front(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return social.front_page(demo.place)


def _social_lookup(_request: Request, demo: Demo, match: re.Match[str]) -> Response:
    return social.lookup(demo.place, number=match[1])


def _social_item(request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return social.item_page(request, demo.place)


def _world(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    world = demo.place.world
    return as_json({"is_finished": world.is_finished(), "posts": world.history()})


def _ledger(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return as_json(demo.ledger.as_json())


def _receive(request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    demo.inbox.receive(request.body, headers=request.headers, now=demo.now)
    return Response(status=HTTPStatus.NO_CONTENT)


def _inbox(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    letters = [(letter, _pretty(letter.content)) for letter in reversed(demo.inbox.letters())]
    return page("inbox.html.j2", place=demo.place, letters=letters)


def _inbox_json(_request: Request, demo: Demo, _match: re.Match[str]) -> Response:
    return as_json(demo.inbox.as_json())


def _pretty(content: object) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, indent=2)


_ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", r"/", _start),
        ("GET", r"/robots\.txt", _robots),
        ("GET", r"/style\.css", _style),
        ("GET", r"/board/review/(\d+)\.html", _board_review),
        ("GET", r"/board/([\w-]+)/([\w-]+)\.html", _board_company),
        ("GET", bureau.ROOT + r"/([\w/-]+)/complaints", _bureau_complaints),
        ("GET", r"/review/([\w.-]+)", _reviews_company),
        ("GET", r"/reviews/(\w+)", _reviews_review),
        ("GET", r"/forum/?", _forum_index),
        ("GET", r"/forum/feed\.xml", _forum_feed),
        ("GET", r"/forum/t/([\w-]+)", _forum_thread),
        ("GET", r"/api/v1/search_by_date", _social_search),
        ("GET", r"/v0/item/(\d{1,15})\.json", _social_lookup),
        ("GET", r"/social", _social_front),
        ("GET", r"/item", _social_item),
        ("GET", r"/world\.json", _world),
        ("GET", r"/ledger\.json", _ledger),
        ("POST", r"/inbox/webhook", _receive),
        ("GET", r"/inbox", _inbox),
        ("GET", r"/inbox\.json", _inbox_json),
    )
)
