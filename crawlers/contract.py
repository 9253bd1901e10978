"""The contract of a spider: pure functions from a fetched page to posts; no I/O, no clock.

A new source is one file in ``crawlers/spiders`` with one subclass of ``Spider``, its pages in
``tests/crawlers/pages`` and its row in the docs. The engine fetches, keeps and remembers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from core.types import Post

#: How far a source was read: JSON that only its spider understands.
Cursor = Mapping[str, Any]


class Config(BaseModel):
    """What an operator sets for one source of a kind; stored as ``source.params``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One page to fetch with GET."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer of a site, as it came."""

    url: str  #: after redirects
    status: int
    headers: Mapping[str, str]  #: names in lower case
    body: bytes
    fetched_at: datetime  #: aware, UTC; relative dates count from here
    time_zone: str = "UTC"  #: the zone in which the site writes its local times


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


class Spider(ABC):
    """One kind of source."""

    kind: ClassVar[str]  #: e.g. ``trustpilot``; the name in ``source.kind``
    title: ClassVar[str]  #: for people, e.g. ``Trustpilot reviews``
    config: ClassVar[type[Config]]
    minimum_interval_seconds: ClassVar[int]
    is_verified: ClassVar[bool]  #: parsed recordings of the real site, not only our own pages

    @abstractmethod
    def start(self, config: Any, *, cursor: Cursor) -> Request:
        """The first request of a run."""

    @abstractmethod
    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read one page; ``ahead`` is the previous page's, or ``cursor`` on the first.

        Raises ``DriftError`` when the page has lost the shape that the spider knows,
        ``BlockedError`` for a wall or a challenge, ``AuthError`` for a refused credential.
        A single bad item is a ``Problem`` and never an error. A post has an id and a text; where
        the site's item is a bare headline, ``title`` says it and ``text`` is empty. A firm's reply
        stands in ``extra["reply"]``: it is nobody's complaint and must not be judged as one.
        """
