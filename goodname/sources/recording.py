"""A recording: the pages of one walk as they came, and what must be read of them.

``<folder>/<name>/recording.json`` tells how; ``01.html`` and ``01.expected.json`` are its pages.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import GoodnameError
from crawlers.contract import Fetched, Request, Spider
from goodname.sources.kinds import config_of, spider_named
from goodname.sources.walk import Visit, read
from goodname.sources.written import written

HEAD: Final = "recording.json"
_PACKED_FROM: Final = 200_000  # bytes
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording on the disk."""

    path: Path
    head: Mapping[str, Any]

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.path.name

    @property
    def is_reviewed(self) -> bool:
        """Whether a person has looked at what is read."""
        return self.head.get("is_reviewed") is True

    def expectation(self, number: int) -> Path:
        """The file that says what must be read of a page, counted from 1."""
        return self.path / f"{number:02}.expected.json"

    def expected(self, number: int) -> dict[str, Any]:
        """What must be read of a page; empty where nobody wrote it."""
        path = self.expectation(number)
        return _json(path) if path.exists() else {}

    def replayed(self, known: Mapping[str, Spider]) -> list[dict[str, Any]]:
        """What is read of its pages today."""
        spider = spider_named(str(self.head["kind"]), known)
        config = config_of(spider, self.head["params"])
        return [written(_read_again(self, page, spider, config)) for page in self.head["pages"]]

    def accept(self, pages: Sequence[Mapping[str, Any]]) -> None:
        """Write what was read as what must be read, looked at by a person."""
        for number, page in enumerate(pages, 1):
            _write(self.expectation(number), page)
        _write(self.path / HEAD, {**self.head, "is_reviewed": True})


def recordings(folder: Path) -> list[Recording]:
    """All recordings of a folder; one without a readable head is an error."""
    return [
        Recording(path=path.parent, head=_head(path)) for path in sorted(folder.glob(f"*/{HEAD}"))
    ]


def recording_named(folder: Path, name: str) -> Recording:
    """One recording."""
    path = folder / name / HEAD
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(one.name for one in recordings(folder)) or "none"
        raise GoodnameError(f"{folder}: no recording {name!r}; there: {known}")
    return Recording(path=path.parent, head=_head(path))


def save(
    folder: Path,
    name: str,
    visits: Sequence[Visit],
    *,
    kind: str,
    params: Mapping[str, Any],
    zone: str,
) -> Recording:
    """Write the pages of a walk, not yet reviewed; what they hold must have no secret any more."""
    if not _NAME.fullmatch(name):
        raise GoodnameError(f"{name!r} is no name for a folder")
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    for old in (*path.glob("[0-9][0-9]*.*"), path / HEAD):
        old.unlink(missing_ok=True)
    head = {
        "kind": kind,
        "params": dict(params),
        "time_zone": zone,
        "is_reviewed": False,
        "pages": [_save_page(path, number, visit) for number, visit in enumerate(visits, 1)],
    }
    _write(path / HEAD, head)
    recording = Recording(path=path, head=head)
    for number, visit in enumerate(visits, 1):
        _write(recording.expectation(number), written(visit))
    return recording


def _save_page(path: Path, number: int, visit: Visit) -> dict[str, Any]:
    body, fetched = visit.fetched.body, visit.fetched
    is_packed = len(body) > _PACKED_FROM
    file = f"{number:02}{_ending(fetched)}{'.gz' if is_packed else ''}"
    (path / file).write_bytes(gzip.compress(body, mtime=0) if is_packed else body)
    return {
        "file": file,
        "url": fetched.url,
        "asked": visit.request.url,
        "status": fetched.status,
        "headers": dict(fetched.headers),
        "fetched_at": fetched.fetched_at.isoformat(),
        "state": dict(fetched.state),
        "ahead": dict(visit.ahead),
    }


def _ending(fetched: Fetched) -> str:
    kind = fetched.headers.get("content-type", "")
    start = fetched.body.lstrip()[:1]
    if "json" in kind or start in (b"{", b"["):
        return ".json"
    return ".xml" if "xml" in kind and "html" not in kind else ".html"


def _read_again(
    recording: Recording, page: Mapping[str, Any], spider: Spider, config: Any
) -> Visit:
    path = recording.path / Path(str(page["file"])).name
    try:
        packed = path.read_bytes()
        body = gzip.decompress(packed) if path.suffix == ".gz" else packed
    except (OSError, EOFError, zlib.error) as error:
        raise GoodnameError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    fetched = Fetched(
        url=page["url"],
        status=page["status"],
        headers=page["headers"],
        body=body,
        fetched_at=datetime.fromisoformat(page["fetched_at"]),
        time_zone=recording.head["time_zone"],
        state=page["state"],
    )
    return read(spider, config, Request(url=page["asked"]), fetched, ahead=page["ahead"])


def _head(path: Path) -> dict[str, Any]:
    head = _json(path)
    lacking = {"kind", "params", "time_zone", "pages"} - head.keys()
    if lacking:
        raise GoodnameError(f"{path}: no {', '.join(sorted(lacking))}")
    return head


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GoodnameError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise GoodnameError(f"{path}: no table")
    return found


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
