"""Ripoff Report: a search, or the newest reports of all, and then each report's own page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field
from typing_extensions import override

from crawlers import reach
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    KnownPost,
    Page,
    Problem,
    Promise,
    Request,
    Spider,
)
from crawlers.errors import CrawlError
from crawlers.families import tries
from crawlers.families.ripoff_report_page import read_report
from crawlers.reading.answers import read, unexpected
from crawlers.reading.json_body import count, listed, words
from crawlers.reading.markup import text_of, tree_of
from crawlers.reading.web_address import WebAddress, joined, page_number, with_query

#: So many of the first list are read again in each run: rebuttals show, and so does a new layout.
AGAIN = 3
#: The newest of all reach back for twenty-five years; a first run reads this much of them.
FIRST_LISTS = 3
_SITE = "https://www.ripoffreport.com"
_MOST_WAITING = 200  # more links than a list has ever had
_MOST_REMEMBERED = 2000
# "/report/kavira/tulsa-grill-on-fire-1530042"; older ones begin with "/r/" or "/reports/".
_REPORT = re.compile(r"/(?:report|reports|r)/[^?#]{1,400}?-(?P<id>\d{3,9})/?")
_NONE = re.compile(
    r"\b(?:0|no)\s+(?:matching\s+)?(?:reports?|results?)\b|did not match any|nothing found", re.I
)
_GONE = frozenset({404, 410})


class RipoffReportConfig(Config):
    """What to search for; nothing is the newest reports about anyone."""

    search: str = Field(default="", max_length=200, description="a firm's name; empty: all reports")
    base_url: WebAddress = _SITE


class RipoffReport(Spider):
    """Reports without a rating, for there is none. Unverified: built to what scrapers read there.

    What the reporter adds later belongs to the text. Rebuttals of the firm stand in
    ``extra["reply"]`` (all of several in ``["replies"]``) and are no posts; what others say is a
    post that answers the report.
    """

    kind = "ripoffreport"
    title = "Ripoff Report"
    family = Family.CARDS
    config = RipoffReportConfig
    minimum_interval_seconds = 3600
    is_verified = False
    is_opt_in = True
    promise = Promise(filled={"published_at": 0.8})
    read_statuses = _GONE
    recheck_size = 1

    @override
    def start(self, config: RipoffReportConfig, *, cursor: Cursor) -> Request:
        """The first list: new reports, and new rebuttals on those at its top."""
        return _list(config, number=1)

    @override
    def explain(self, fetched: Fetched, config: RipoffReportConfig) -> CrawlError | None:
        """A report may be gone; a list may not."""
        if fetched.status in _GONE and not fetched.state.get("report"):
            return CrawlError(f"the site has no such list ({fetched.status})")
        return None

    @override
    def parse(
        self, fetched: Fetched, config: RipoffReportConfig, *, cursor: Cursor, ahead: Cursor
    ) -> Page:
        """Read a list of links, or the report that was next in it."""
        if fetched.state.get("report"):
            return _report(fetched, config, ahead=ahead)
        return _links(fetched, config, cursor=cursor, ahead=ahead)

    @override
    def skip(
        self, request: Request, config: RipoffReportConfig, *, reason: str, ahead: Cursor
    ) -> Page | None:
        """A report, never a list."""
        path = words(request.state.get("report"))
        if path is None:
            return None
        return Page(
            problems=(Problem(reason=reason, url=request.url, external_id=_id(path)),),
            next=_waiting(request.state, config),
            ahead=tries.tried(ahead, path),
            is_single=True,
        )

    @override
    def recheck(self, config: RipoffReportConfig, posts: Sequence[KnownPost]) -> Request | None:
        """The page of the report that the post is on."""
        found = _REPORT.fullmatch(urlsplit(posts[0].url).path) if posts else None
        return _detail(config, found[0], state={}) if found else None

    @override
    def parse_recheck(
        self, fetched: Fetched, config: RipoffReportConfig, posts: Sequence[KnownPost]
    ) -> Page:
        """The report as it is now, with all that was said to it; gone with a 404."""
        if fetched.status in _GONE:
            return Page(gone=tuple(post.external_id for post in posts))
        return _report(fetched, config, ahead={})


def _list(config: RipoffReportConfig, *, number: int) -> Request:
    name = f"specific_search/{quote(config.search, safe='')}" if config.search else "latest-reports"
    address = f"{config.base_url.rstrip('/')}/reports/{name}"
    # A list that is unchanged says nothing of rebuttals, nor of reports that wait.
    return Request(
        url=with_query(address, pg=number), state={"list": number}, may_be_unchanged=False
    )


def _detail(config: RipoffReportConfig, path: str, *, state: Mapping[str, Any]) -> Request:
    return Request(url=f"{config.base_url.rstrip('/')}{path}", state={**state, "report": path})


def _links(fetched: Fetched, config: RipoffReportConfig, *, cursor: Cursor, ahead: Cursor) -> Page:
    """Note which reports of a list are wanted, and ask for the first of them."""
    text = read(fetched)
    number = count(fetched.state.get("list")) or page_number(fetched.url, default=1, key="pg")
    links = tree_of(text).css("a::attr(href)").getall()
    paths = list(_reports(links, fetched, config))
    if not paths:
        if not _NONE.search(text_of(text)):
            raise unexpected(fetched, text, lacks="list of reports")
        return Page(ahead=dict(ahead), announced=0)
    read_before = set(map(str, listed(ahead.get("read"))))
    again = [*paths[:AGAIN], *tries.owed(ahead)] if number == 1 else []
    unread = [path for path in paths if _id(path) not in read_before]
    is_over = not config.search and (
        len(unread) < len(paths) or (not cursor and number >= FIRST_LISTS)
    )
    asked = [path for path in (*again, *unread) if not tries.is_given_up(ahead, path)]
    wanted = list(dict.fromkeys(asked))[:_MOST_WAITING]
    following = None if is_over else _next_list(links, number)
    return Page(ahead=dict(ahead), next=_next(config, waiting=wanted, following=following))


def _reports(links: Iterable[str], fetched: Fetched, config: RipoffReportConfig) -> Iterable[str]:
    """Paths of the site's reports among links, each once, in the order of the page."""
    own = {urlsplit(url).hostname for url in (fetched.url, config.base_url, _SITE)}
    found: dict[str, str] = {}
    for link in links:
        parts = urlsplit(joined(fetched.url, link) or "")
        if parts.hostname in own and (match := _REPORT.fullmatch(parts.path)):
            found.setdefault(match["id"], parts.path)
    return found.values()


def _next_list(links: Iterable[str], number: int) -> int | None:
    numbers = (page_number(link, default=0, key="pg") for link in links)
    return number + 1 if any(one == number + 1 for one in numbers) else None


def _next(
    config: RipoffReportConfig, *, waiting: Sequence[str], following: int | None
) -> Request | None:
    if waiting:
        state = {"waiting": list(waiting[1:]), "following": following}
        return _detail(config, waiting[0], state=state)
    return _list(config, number=following) if following else None


def _waiting(state: Mapping[str, Any], config: RipoffReportConfig) -> Request | None:
    """What comes behind a report."""
    waiting = [one for one in listed(state.get("waiting")) if isinstance(one, str)]
    return _next(config, waiting=waiting, following=count(state.get("following")))


def _report(fetched: Fetched, config: RipoffReportConfig, *, ahead: Cursor) -> Page:
    """Read the report that was asked for, and ask for the next that waits."""
    path = words(fetched.state.get("report")) or ""
    external_id = _id(path)
    following = _waiting(fetched.state, config)
    read_ahead = tries.settled(_with_read(ahead, external_id), path)
    if fetched.status in _GONE:
        return Page(ahead=read_ahead, next=following, gone=(external_id,))
    url = _detail(config, path, state={}).url
    found = read_report(fetched, external_id=external_id, url=url)
    moved = read_ahead if found.posts else tries.tried(ahead, path)
    return Page(
        posts=found.posts,
        problems=found.problems,
        next=following,
        ahead=reach.moved(moved, found.posts, now=fetched.fetched_at),
        is_single=True,
    )


def _id(path: str) -> str:
    found = _REPORT.fullmatch(path)
    return found["id"] if found else path


def _with_read(ahead: Cursor, external_id: str) -> Cursor:
    """The cursor with one more report that was read; the oldest are forgotten first."""
    known = {*map(str, listed(ahead.get("read"))), external_id}
    newest = sorted(known, key=lambda one: (len(one), one), reverse=True)[:_MOST_REMEMBERED]
    return {**ahead, "read": newest}
