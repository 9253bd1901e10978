"""The format of a site's file; ``docs/sources.md`` shows a whole one.

A rule is a selector, a list of them that are tried in order, or a table with more to say. In HTML a
selector is CSS and means what a reader sees there; ``::text`` is only the element's own text,
``::attr(name)`` an attribute, and ``::attr(name)`` alone one of the item itself. In JSON it is
keys with dots between them.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from core.types import Post, PostKind
from crawlers.contract import Config, Family
from crawlers.declared.params import Param
from crawlers.declared.template import check_template
from crawlers.reading.web_address import WebAddress


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return pattern


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no time zone; one is written like Europe/Warsaw") from None
    return name


def _check_form(form: str, match: str | None) -> None:
    if match is None:
        raise ValueError("form: it puts the groups of match together, and there is no match")
    try:
        re.compile(f"(?:{match})|").sub(form, "")  # Python reads the form before it looks
    except (re.error, IndexError) as error:
        raise ValueError(f"form: {error}") from None


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Selector = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Selectors = Annotated[tuple[Selector, ...], BeforeValidator(_several)]
Regex = Annotated[str, Field(max_length=300), AfterValidator(_regex)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Part(BaseModel):
    """One table of a site's file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Part):
    """Where a value stands, and how it is taken out of what stands there."""

    at: Selectors = ()
    match: Regex | None = None  #: its first group, else the whole match, is the value
    form: Annotated[str, Field(max_length=200)] = ""  #: groups of it put together: \\1-\\2-\\3
    words: dict[str, str | float] = {}  #: what the value means; one that is not here says nothing

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"at": value} if isinstance(value, str | list) else value

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if not self.at and not self.is_found_otherwise:
            raise ValueError("says no selector (at)")
        if self.form:
            _check_form(self.form, self.match)
        return self

    @property
    def is_found_otherwise(self) -> bool:
        """Whether the rule needs no selector."""
        return False


class IdRule(Rule):
    """The site's own id, or one made of what a post says, where the site shows none."""

    #: A hash of these fields; an edit of them makes another post. Dates are no part of it: "2 days
    #: ago" reads otherwise tomorrow.
    made_of: tuple[Literal["author", "title", "text"], ...] = ()

    @property
    def is_found_otherwise(self) -> bool:
        """Whether the id is made."""
        return bool(self.made_of)


class ParentRule(Rule):
    """The id of the post that this one answers."""

    enclosing: bool = False  #: that of the item inside which this one stands

    @property
    def is_found_otherwise(self) -> bool:
        """Whether the place in the page says it."""
        return self.enclosing


class RatingRule(Rule):
    """A number, or how many elements of a sort there are (full stars)."""

    count: Selector | None = None
    scale: Annotated[float, Field(gt=0)] = 5.0  #: the best possible rating

    @property
    def is_found_otherwise(self) -> bool:
        """Whether elements are counted."""
        return self.count is not None


class Fields(Part):
    """What is read of each item."""

    id: IdRule
    text: Rule | None = None
    title: Rule | None = None
    author: Rule | None = None
    author_id: Rule | None = None
    date: Rule | None = None
    edited: Rule | None = None
    rating: RatingRule | None = None
    parent: ParentRule | None = None
    url: Rule | None = None
    language: Rule | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.title is None:
            raise ValueError("a post needs a text or a title")
        return self


class Reply(Part):
    """The firm's answer to a post, read before anything is cut; it is no post itself."""

    text: Rule
    author: Rule | None = None
    date: Rule | None = None


class Dates(Part):
    """How the site writes dates."""

    languages: tuple[Language, ...] = ()  #: tags such as ``pl``, the likeliest first
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"  #: of times without one


class Next(Part):
    """How the page after a page is found."""

    by: Literal["number", "link", "none"] = "none"
    url: str = ""  #: by number: a template with ``{page}`` …
    query: Name | None = None  #: … or the parameter of the address that holds the number
    first: Annotated[int, Field(ge=0)] = 1  #: the number of the first page
    step: Annotated[int, Field(ge=1)] = 1  #: more than 1 where posts are counted, not pages
    pages: Rule | None = None  #: how many pages there are; of several numbers the greatest
    more: Selectors = ()  #: what a page has that is not the last
    link: Rule | None = None  #: by link; it must stay on the host
    most: Annotated[int, Field(ge=1, le=10_000)] = 500  #: pages, whatever the site says

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.by == "number" and bool(self.url) == bool(self.query):
            raise ValueError("by number it needs either a url with {page} or a query")
        if self.by == "link" and self.link is None:
            raise ValueError("by link it needs a link, e.g. 'a[rel=next]::attr(href)'")
        return self


class Contract(Part):
    """What a page of the site always has; less is *drift*."""

    least: Annotated[int, Field(ge=1)] = 1  #: items on a first page that is not empty
    filled: dict[str, Share] = {}  #: least share of the posts in which a field says something
    least_share: Share = 0.8  #: posts of the items that a page lists or announces
    total: Rule | None = None  #: how many posts the site says there are, on all pages
    page_size: Annotated[int, Field(ge=1)] | None = None  #: how many of them a full page lists

    @model_validator(mode="after")
    def _knows_its_fields(self) -> Self:
        known = [one.name for one in dataclasses.fields(Post)]
        for name in self.filled:
            if name.partition(".")[0] not in known:
                raise ValueError(f"filled: a post has no {name}; it has {', '.join(known)}")
        return self


class Site(Part):
    """A site without code."""

    kind: Kind
    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    about: str = ""  #: where the format is known from, and what to know before using it
    family: Literal[Family.CARDS, Family.FORUM, Family.JSON_API]
    posts: PostKind
    verified: bool = False
    opt_in: bool = False
    minimum_interval_seconds: Annotated[int, Field(ge=60, le=7 * 86_400)]
    base_url: WebAddress | None = None
    params: dict[Name, Param] = {}
    claims: tuple[Regex, ...] = ()  #: addresses that are of this site; named groups are params
    url: str
    post_url: str = ""  #: a post's own address where no field says it; may use ``{id}``
    items: Selector
    without: Selectors = ()  #: what is cut out of an item before it is read
    skip: Selectors = ()  #: what an item has that is no post, e.g. the mark of a firm's own word
    empty: Selectors = ()  #: what a page has that rightly lists nothing
    order: Literal["newest", "oldest", "none"] = "newest"
    overlap_hours: Annotated[float, Field(ge=0, le=24 * 90)] = 24.0
    gapless: bool = False
    fields: Fields
    counters: dict[Name, Rule] = {}
    extra: dict[Name, Rule] = {}
    reply: Reply | None = None
    dates: Dates = Dates()
    next: Next = Next()
    contract: Contract = Contract()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        own = {"base_url"} if self.base_url else set()
        for name in self.params:
            if name in {"page", "id", *own} or hasattr(Config, name):
                raise ValueError(f"params.{name}: the name is taken; choose another")
        known = {*self.params, *own}
        hosts = {name for name, param in self.params.items() if param.type == "address"}
        hosts |= own
        used = check_template(self.url, known=known, hosts=hosts, called="url")
        if self.next.url:
            used |= check_template(
                self.next.url, known=known | {"page"}, hosts=hosts, called="next.url"
            )
        if self.post_url:
            check_template(self.post_url, known=known | {"id"}, hosts=hosts, called="post_url")
        if unused := sorted(known - used):
            raise ValueError(f"params.{unused[0]} is nowhere in the url")
        claimed = {name for claim in self.claims for name in re.compile(claim).groupindex}
        if unclear := sorted(claimed - known):
            raise ValueError(f"claims: (?P<{unclear[0]}>…) is no param")
        if self.order == "oldest" and self.next.by == "link":
            raise ValueError("next: where the oldest come first, pages must be known by number")
        return self
