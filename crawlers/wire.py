"""What a crawl worker and its children say to each other: one JSON object a line, over pipes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from core.settings import CrawlSection, EvidenceSection, LogSection
from crawlers.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """The first line to a child; over the pipe, so that no secret stands in its environment."""

    database_url: str = field(repr=False)
    crawl: CrawlSection
    log: LogSection
    credentials: Credentials = field(default_factory=dict, repr=False)
    evidence: EvidenceSection = field(default_factory=EvidenceSection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Crawl a source, or stop crawling it."""

    job: int
    source_id: int = 0
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A child's sign of life, once a second."""

    rss: int  #: bytes
    stuck: int = 0  #: the source whose page has been parsed for longest, 0 for none
    stuck_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsing:
    """A spider's code begins or ends; whose is running when a child dies is a suspect."""

    source_id: int
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The end of a job; ``error`` when the run could not be brought to a verdict."""

    job: int
    outcome: str = ""
    reason: str = ""
    error: str = ""
    is_database_away: bool = False  #: and so no fault of the source


Message = Order | Tick | Parsing | Report
_KINDS: dict[str, Any] = {"order": Order, "tick": Tick, "parsing": Parsing, "report": Report}


def line(message: Message) -> bytes:
    """Write a message."""
    name = type(message).__name__.lower()
    return json.dumps({"is": name, **asdict(message)}).encode() + b"\n"


def read(raw: bytes) -> Message:
    """Read a message; ``ValueError`` when it is none."""
    try:
        fields = json.loads(raw)
        message: Message = _KINDS[fields.pop("is")](**fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no message: {raw[:200]!r}") from error
    return message


def greeting_line(greeting: Greeting) -> bytes:
    """Write the first line."""
    fields = {
        "database_url": greeting.database_url,
        "crawl": greeting.crawl.model_dump(),
        "log": greeting.log.model_dump(),
        "credentials": {name: dict(parts) for name, parts in greeting.credentials.items()},
        "evidence": greeting.evidence.model_dump(),
    }
    return json.dumps(fields).encode() + b"\n"


def read_greeting(raw: bytes) -> Greeting:
    """Read the first line."""
    fields = json.loads(raw)
    return Greeting(
        database_url=fields["database_url"],
        crawl=CrawlSection(**fields["crawl"]),
        log=LogSection(**fields["log"]),
        credentials=fields["credentials"],
        evidence=EvidenceSection(**fields["evidence"]),
    )
