"""One page of Ripoff Report: a report, and beneath it its updates and rebuttals."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from parsel import Selector

from core.types import Post, PostKind
from crawlers.contract import Fetched, Problem
from crawlers.errors import DriftError, ParseError
from crawlers.families.card_parts import Part, split
from crawlers.families.cards import labelled, said
from crawlers.reading.answers import read, unexpected
from crawlers.reading.dates import NO_DATE, ReadDate, read_date
from crawlers.reading.json_body import known, words
from crawlers.reading.markup import found_in, text_in, tidy, tree_of
from crawlers.reading.numbers import whole_number

LANGUAGES = ("en-US",)
_BODY = ".report-body"
# Headings seen: "#1 Author of original report", "#2 UPDATE EX-employee responds",
# "#3 REBUTTAL Owner of company", "#4 Consumer Suggestion".
_HEADING = re.compile(
    r"(?:#?\s*(?P<number>\d{1,4})\s*[-.:]?\s*)?(?:author of (?:the )?original report"
    r"|(?:update|rebuttal)\b|(?:consumer|general) (?:comment|suggestion))",
    re.I,
)
_COUNTED = re.compile(r"(\d{1,4})\s+updates?\s*(?:&|and)\s*rebuttals?", re.I)
_TITLE = re.compile(r"^\s*ripoff report\s*[|:>-]\s*|\s*[|:>-]\s*ripoff report.*$", re.I)
_ABOUT = re.compile(r"complaint review:\s*(.{2,200})", re.I)
_LABELS = re.compile(r"(?im)^[ ]*(?:author|submitted|posted|reported by|updated)[ ]*:.*$")


class Voice(Enum):
    """Who speaks in a part of the page."""

    FIRM = auto()
    REPORTER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What one page holds."""

    posts: tuple[Post, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_report(fetched: Fetched, *, external_id: str, url: str) -> Reported:
    """Read a report and what others say to it; ``BlockedError`` for a wall in its place.

    A page that lacks its report is a problem and no drift: the reports behind it may be well.
    """
    text = read(fetched)
    try:
        tree = tree_of(text)
        if not tree.css(f"body {_BODY}"):
            raise unexpected(fetched, text, lacks="report")
        rest, parts = split(tree.css("body")[0], titled=_HEADING, url=fetched.url)
        report = replace(
            _report(rest, parts, fetched, external_id=external_id, url=url), title=_title(tree)
        )
    except (DriftError, ParseError) as error:
        return Reported(problems=(_problem(str(error), fetched, external_id),))
    others = [part for part in parts if part.text and voice_of(part.heading) is Voice.OTHER]
    comments = (_comment(part, fetched, report=report, url=url) for part in others)
    posts = {post.external_id: post for post in (report, *comments)}
    return Reported(
        posts=tuple(posts.values()), problems=_unread(rest, parts, fetched, external_id)
    )


def voice_of(heading: str) -> Voice:
    """Who speaks under such a heading; an employee speaks for the firm, a former one does not."""
    says = heading.casefold()
    if "author of" in says:
        return Voice.REPORTER
    is_of_firm = "rebuttal" in says or ("employee" in says and "ex-employee" not in says)
    return Voice.FIRM if is_of_firm else Voice.OTHER


def _title(tree: Selector) -> str | None:
    """The page's, without the name of the site that stands before or behind it."""
    return words(_TITLE.sub("", said(tree, "title") or ""))


def _report(
    page: Selector, parts: Sequence[Part], fetched: Fetched, *, external_id: str, url: str
) -> Post:
    later = [part for part in parts if voice_of(part.heading) is Voice.REPORTER and _said(part)]
    body = found_in(page, _BODY)
    first = text_in(body[0]) if body else ""
    if not first:
        raise ParseError("text", url=fetched.url)
    above = text_in(page).split(first, 1)[0]
    published_at, quality = _published(page, above, fetched)
    of_firm = [part for part in parts if voice_of(part.heading) is Voice.FIRM and _said(part)]
    answers = [_answer(part, fetched) for part in of_firm]
    about = _ABOUT.search(said(page, "h1") or "")
    return Post(
        external_id=external_id,
        text="\n\n".join([first, *map(_said, later)]),
        url=url,
        kind=PostKind.COMPLAINT,
        author=labelled(above, "reported by"),
        published_at=published_at,
        published_quality=quality,
        edited_at=_latest(_date(part, fetched)[0] for part in later),
        extra=known(
            about=about[1].strip() if about else None,
            reply=answers[-1] if answers else None,
            replies=answers if len(answers) > 1 else None,
        ),
    )


def _published(page: Selector, above: str, fetched: Fetched) -> ReadDate:
    found = page.css("time[datetime]")
    written = [found[0].attrib["datetime"], found[0].xpath("string()").get()] if found else []
    for text in (*written, labelled(above, "submitted"), labelled(above, "posted")):
        read_one = _read_date(text, fetched)
        if read_one[0] is not None:
            return read_one
    return NO_DATE


def _comment(part: Part, fetched: Fetched, *, report: Post, url: str) -> Post:
    heading = _HEADING.match(part.heading)
    name = whole_number(part.id) or (heading["number"] if heading else None)
    published_at, quality = _date(part, fetched)
    return Post(
        external_id=f"{report.external_id}-{name or _made_name(part)}",
        text=_said(part),
        url=f"{url}#{part.id}" if part.id else url,
        kind=PostKind.COMMENT,
        author=labelled(part.text, "author"),
        published_at=published_at,
        published_quality=quality,
        parent_id=report.external_id,
        extra=known(about=report.extra.get("about"), role=part.heading),
    )


def _made_name(part: Part) -> str:
    """A name for one of several comments with one heading; an edited one looks like another."""
    said = f"{part.heading}\x1f{_said(part)}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:12]


def _answer(part: Part, fetched: Fetched) -> dict[str, object]:
    when = _date(part, fetched)[0]
    return known(text=_said(part), published_at=when.isoformat() if when else None)


def _said(part: Part) -> str:
    """The words without the lines that say who wrote them and when."""
    return tidy(_LABELS.sub("", part.text))


def _date(part: Part, fetched: Fetched) -> ReadDate:
    written = labelled(part.text, "submitted") or labelled(part.text, "posted")
    return _read_date(written, fetched)


def _read_date(text: str | None, fetched: Fetched) -> ReadDate:
    return read_date(text, now=fetched.fetched_at, zone=fetched.time_zone, languages=LANGUAGES)


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in moments if one is not None), default=None)


def _unread(
    page: Selector, parts: Sequence[Part], fetched: Fetched, external_id: str
) -> tuple[Problem, ...]:
    """The page says how many rebuttals there are; fewer than that are a problem in words."""
    counted = _COUNTED.search(text_in(page))
    read_ones = sum(bool(part.text) for part in parts)
    if counted is None or int(counted[1]) <= read_ones:
        return ()
    reason = f"rebuttals: the page says {counted[1]}, {read_ones} can be read"
    return (_problem(reason, fetched, external_id),)


def _problem(reason: str, fetched: Fetched, external_id: str) -> Problem:
    return Problem(reason=reason, url=fetched.url, external_id=external_id)
