"""The contract of a spider: pure functions from a fetched page to posts; no I/O, no clock.

A new source is one file in ``crawlers/spiders`` with one subclass of ``Spider`` (mostly of one of
the ``crawlers/families``), its pages in ``tests/crawlers/pages`` and its row in the docs. The
engine fetches, keeps and remembers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from core.types import Post
from crawlers.errors import CrawlError

#: How far a source was read: JSON that only its spider understands.
Cursor = Mapping[str, Any]
#: Named parts of a credential, e.g. ``{"bearer_token": "…"}``; never stored, shown or logged.
Secrets = Mapping[str, str]

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Family(StrEnum):
    """How the pages of a source carry their posts."""

    JSON_API = "json_api"
    SCHEMA_ORG = "schema_org"
    EMBEDDED_STATE = "embedded_state"  #: JSON that a page holds for its own script
    FEED = "feed"
    CARDS = "cards"  #: HTML elements, found by selectors
    FORUM = "forum"


class Config(BaseModel):
    """What an operator sets for one source of a kind; stored as ``source.params``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigWithCredential(Config):
    """… of a kind that needs one."""

    credential: str = Field(
        default="",
        max_length=63,
        description="which table under [credentials] of the settings; empty: the one of its kind",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One page to fetch. It is stored when a run is cut off, so it holds no secret."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: str = ""
    #: JSON that the spider wants beside the answer, e.g. the links of a list that wait.
    state: Mapping[str, Any] = field(default_factory=dict)
    cost: int = 1  #: units of the quota; 0 when the site does not count it
    bucket: str = ""  #: which quota of several, as in ``Spider.quotas``
    #: Whether "not modified" may end the run; not where the first page tells nothing of what
    #: stands below it.
    may_be_unchanged: bool = True
    #: A WebSocket is there, and what it says is the page, a message a line; see ``Spider.hear``.
    is_stream: bool = False


class Hear(StrEnum):
    """What becomes of one message of a stream."""

    PASS = "pass"  # noqa: S105 - not on the page
    KEEP = "keep"
    ENOUGH = "enough"  #: it is, and the page ends with it


#: In the headers of a page of a stream: why it ends where it does, in words.
ENDED: Final = "goodname-ended"
#: How these words begin when there was more to hear.
FULL: Final = "the page was full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer of a site, as it came."""

    url: str  #: after redirects
    status: int
    headers: Mapping[str, str]  #: names in lower case
    body: bytes
    fetched_at: datetime  #: aware, UTC; relative dates count from here
    time_zone: str = "UTC"  #: the zone in which the site writes its local times
    state: Mapping[str, Any] = field(default_factory=dict)  #: as in the request


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One item that is no post; it becomes a dead letter with its reason."""

    reason: str
    url: str
    external_id: str | None = None
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one answer holds."""

    posts: tuple[Post, ...] = ()
    problems: tuple[Problem, ...] = ()
    next: Request | None = None  #: None ends the run: everything down to the cursor was read
    ahead: Cursor = field(default_factory=dict)  #: the cursor as it will be when the run is whole
    announced: int | None = None  #: how many items the page itself says that it lists
    #: External ids that the site says are gone. Ids that are only absent do not belong here.
    gone: tuple[str, ...] = ()
    #: The site gives nothing from before this, though it was asked for more; what lies between it
    #: and the last run is lost, and a first run begins here. Said on each later page of the run.
    begins_at: datetime | None = None
    #: What of the answer its posts stand in, to be kept as evidence; None: all of it.
    excerpt: bytes | None = None
    #: It is about one post that a list named: that it cannot be read says nothing of the others.
    is_single: bool = False
    #: Why what follows cannot be asked for. The page is kept, the run ends so, the cursor stays.
    dead_end: CrawlError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a log-in gave; lives in the memory of the process only."""

    value: str
    expires_at: datetime | None = None  #: aware, UTC; None when the site does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Units that one credential may spend, as the site documents it; the day's are spread."""

    units: int
    period: timedelta = timedelta(days=1)
    zone: str = "UTC"  #: whose midnight begins a period of days


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The extraction contract: what a page of the site has always had; below it is *drift*."""

    #: Least share of a run's posts in which a field says something, e.g. ``{"author": 0.9}``.
    filled: Mapping[str, float] = field(default_factory=dict)
    least_share_of_announced: float = 0.8  #: posts read of those that the page announces
    most_ahead: timedelta = timedelta(days=1)  #: no post is from later than this after the fetch
    most_repeated: float = 0.2  #: share of posts whose id came already in the same run


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPost:
    """A post that was kept, as far as asking for it again needs it."""

    external_id: str
    url: str
    extra: Mapping[str, Any] = field(default_factory=dict)


class Spider(ABC):
    """One kind of source."""

    kind: ClassVar[str]  #: e.g. ``trustpilot``; the name in ``source.kind``
    title: ClassVar[str]  #: for people, e.g. ``Trustpilot reviews``
    family: ClassVar[Family]
    config: ClassVar[type[Config]]
    minimum_interval_seconds: ClassVar[int]
    is_verified: ClassVar[bool]  #: parsed recordings of the real site, not only our own pages
    #: Whether the operator must name the kind in ``[crawl] opted_in`` before it is crawled. So is
    #: every kind that is not verified.
    is_opt_in: ClassVar[bool] = False
    #: Parts of the credential that it needs, each with what it is; empty when it needs none.
    secrets: ClassVar[Mapping[str, str]] = MappingProxyType({})
    quotas: ClassVar[Mapping[str, Quota]] = MappingProxyType({})  #: by bucket; ``""`` is usual
    promise: ClassVar[Promise] = Promise()
    #: Whether a run lists every post between its oldest and its newest, newest first, so that a
    #: kept post of that time that is absent is *missing*.
    is_gapless: ClassVar[bool] = False
    #: Statuses other than 2xx whose answers ``parse`` reads, unless ``explain`` says why not.
    read_statuses: ClassVar[frozenset[int]] = frozenset()
    #: The site lists only so many of its newest posts, so that a run may end before it meets what
    #: the last one read; what lies between is a gap.
    is_limited: ClassVar[bool] = False
    #: Pages tell what happened in the order in which it did, so that a post of this run may be gone
    #: on a later page of it.
    is_in_order: ClassVar[bool] = False
    #: Ids that one ``recheck`` asks for at most.
    recheck_size: ClassVar[int] = 1

    @property
    def needs_opt_in(self) -> bool:
        """Whether it stays off until the operator names it."""
        return self.is_opt_in or not self.is_verified

    @abstractmethod
    def start(self, config: Any, *, cursor: Cursor) -> Request:
        """The first request of a run."""

    @abstractmethod
    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read one page; ``ahead`` is the previous page's, or ``cursor`` on the first.

        Raises ``DriftError`` when the page has lost the shape that the spider knows,
        ``BlockedError`` for a wall or a challenge, ``AuthError`` for a refused credential,
        ``QuotaError`` for a spent budget. A single bad item is a ``Problem`` and never an error.
        A post has an id and a text; where the site's item is a bare headline, ``title`` says it
        and ``text`` is empty. A firm's reply stands in ``extra["reply"]``: it is nobody's
        complaint and must not be judged as one.
        """

    def explain(self, fetched: Fetched, config: Any) -> CrawlError | None:
        """Say what an answer that is no 2xx means, where the site says it in the body.

        None leaves its status to mean what it usually does, or, for one of ``read_statuses``,
        hands the answer to ``parse``.
        """
        del fetched, config
        return None

    def hear(self, message: str, *, asked: Request, asked_at: datetime) -> Hear:
        """Whether a message of a stream belongs on the page, and whether it is the last one.

        Called with each message between two others, so it takes no time. A page ends without it
        when it is long, or takes long.
        """
        del message, asked, asked_at
        return Hear.KEEP

    def skip(self, request: Request, config: Any, *, reason: str, ahead: Cursor) -> Page | None:
        """Go on without a linked page that cannot be had; None for a list, which ends the run.

        The page says ``reason`` in a ``Problem``, is single, and counts the try in its ``ahead``
        (``families.tries``), so that what is never there is not asked for in every run.
        """
        del request, config, reason, ahead
        return None

    def recheck(self, config: Any, posts: Sequence[KnownPost]) -> Request | None:
        """Ask for at most ``recheck_size`` kept posts again; None when the site has no way to.

        Its answer is read by ``parse_recheck``.
        """
        del config, posts
        return None

    def parse_recheck(self, fetched: Fetched, config: Any, posts: Sequence[KnownPost]) -> Page:
        """Posts as they are now, and in ``gone`` those that the site says are no more.

        Also called with 404 and 410; one that is in neither stays as it was.
        """
        raise NotImplementedError

    def log_in(self, config: Any, secrets: Secrets) -> Request | None:
        """A request whose answer is a token; None when the credential is used as it is."""
        del config, secrets
        return None

    def read_token(self, fetched: Fetched) -> Token:
        """The token of a log-in's answer; ``AuthError`` when it was refused."""
        raise NotImplementedError

    def sign(
        self, request: Request, config: Any, secrets: Secrets, *, token: Token | None
    ) -> Request:
        """Put the credential into a request just before it is sent, best as a header.

        The signed request is never stored or logged.
        """
        del config, secrets, token
        return request
