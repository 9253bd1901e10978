"""What was recorded of the real sites, and what each spider must read from it.

``bench/recorded/<kind>.py`` holds one ``Recorded`` named ``RECORDED``; every file there is found.
"""

from __future__ import annotations

import gzip
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench import recorded as recorded_package
from crawlers.catalogue import spiders
from crawlers.contract import Fetched, Page

READ_AT = datetime(2026, 6, 1, tzinfo=UTC)
_NOTE = "SOURCES.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a site, as a recording holds it."""

    body: bytes
    url: str = ""  #: empty: that of the spider's first request
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)  #: its own params of the source


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The recordings of one kind of source."""

    kind: str
    config: Mapping[str, Any]
    files: tuple[str, ...]  #: patterns below the folder of recordings
    #: How many posts an answer holds, counted by other means than the spider's.
    counted: Callable[[Answer], int]
    #: Fields that say something in every post of every recording.
    always: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()  #: names of files that are no answer to this spider
    answer: Callable[[Path], Answer] = lambda path: Answer(body=unpacked(path))
    read_at: datetime = READ_AT  #: dates in the future of it would be refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One saved answer of a real site."""

    of: Recorded
    path: Path

    @property
    def kind(self) -> str:
        """The kind of source that answered so."""
        return self.of.kind

    @property
    def answer(self) -> Answer:
        """What the site said."""
        return self.of.answer(self.path)

    @property
    def body(self) -> bytes:
        """The answer's body as it came."""
        return self.answer.body

    def read(self) -> Page:
        """Let the spider read it."""
        spider, answer = spiders()[self.kind], self.answer
        config = spider.config(**{**self.of.config, **answer.config})
        fetched = Fetched(
            url=answer.url or spider.start(config, cursor={}).url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            state=answer.state,
            fetched_at=self.of.read_at,
        )
        return spider.parse(fetched, config, cursor={}, ahead={})

    def counted(self) -> int:
        """How many posts the answer holds, counted without the spider."""
        return self.of.counted(self.answer)


def unpacked(path: Path) -> bytes:
    """The bytes of a file, gzip or not."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


@cache
def recorded() -> Mapping[str, Recorded]:
    """What was recorded, by kind."""
    found = (
        importlib.import_module(f"{recorded_package.__name__}.{info.name}").RECORDED
        for info in pkgutil.iter_modules(recorded_package.__path__)
    )
    return {one.kind: one for one in found}


def recordings(folder: Path, *, kinds: Iterable[str] | None = None) -> Iterator[Recording]:
    """Every recording that one of the spiders must read; ``folder`` is that of all of them."""
    for kind, one in recorded().items():
        if kinds is not None and kind not in kinds:
            continue
        paths = sorted({path for pattern in one.files for path in folder.glob(pattern)})
        for path in paths:
            if path.name != _NOTE and path.name not in one.without:
                yield Recording(of=one, path=path)
