"""`goodname sources check` and `review`: replay recordings, and say that one is right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
import typer
from rich.console import Console

from core.errors import GoodnameError
from core.settings import load_settings
from crawlers.contract import Spider
from goodname.sources.kinds import known_kinds
from goodname.sources.recording import Recording, recording_named, recordings

log = structlog.get_logger()
_MOST_SAID = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the replay of one recording came to."""

    name: str
    is_ok: bool
    pages: int
    posts: int
    reasons: tuple[str, ...] = ()


def check(path: Path | None, folder: Path, *, as_json: bool = False) -> int:
    """Replay every recording of a folder; 1 when one fails."""
    known = known_kinds(load_settings(path))
    found = [checked(one, known) for one in recordings(folder)]
    if not found:
        raise GoodnameError(f"{folder}: no recordings; `goodname sources record NAME` makes one")
    if as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))  # noqa: T201
    else:
        _say(found)
    return 0 if all(one.is_ok for one in found) else 1


def checked(recording: Recording, known: Mapping[str, Spider]) -> Checked:
    """Replay one recording."""
    pages: list[dict[str, Any]] = []
    try:
        pages = recording.replayed(known)
        reasons = list(_differences(recording, pages))
    except GoodnameError as error:
        reasons = [f"cannot be replayed: {error}"]
    except Exception as error:
        # A spider broke, or somebody wrote the recording by hand; the others are replayed.
        log.error("recording_broke", recording=recording.name, exc_info=error)
        reasons = [f"cannot be replayed: {type(error).__name__}: {error}"]
    if not recording.is_reviewed:
        reasons.append(
            "nobody has looked at what is read; do it: goodname sources review " + recording.name
        )
    return Checked(
        name=recording.name,
        is_ok=not reasons,
        pages=len(pages),
        posts=sum(len(page.get("posts", ())) for page in pages),
        reasons=tuple(reasons),
    )


def review(path: Path | None, name: str, *, folder: Path, accept: bool = False) -> int:
    """Show what is read of a recording, and mark it as right when a person says so."""
    known = known_kinds(load_settings(path))
    recording = recording_named(folder, name)
    pages = recording.replayed(known)
    console = Console(highlight=False, soft_wrap=True)
    for number, page in enumerate(pages, 1):
        console.print(f"page {number}: {_summary(page)}", style="bold", markup=False)
        for post in page.get("posts", ()):
            console.print(json.dumps(post, ensure_ascii=False, indent=1), markup=False)
    for reason in _differences(recording, pages):
        console.print(reason, style="yellow", markup=False)
    if not accept and not typer.confirm("Is all of it as the pages say?"):
        return 1
    recording.accept(pages)
    console.print(f"{name} is reviewed", style="green", markup=False)
    return 0


def _differences(recording: Recording, pages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for number, page in enumerate(pages, 1):
        expected = recording.expected(number)
        if not expected:
            yield f"page {number}: no {recording.expectation(number).name}"
        elif "error" in page or "error" in expected:
            if page != expected:
                yield f"page {number}: {_summary(page)}, expected {_summary(expected)}"
        else:
            yield from (f"page {number}: {one}" for one in _in_page(expected, page))


def _in_page(expected: Mapping[str, Any], page: Mapping[str, Any]) -> Iterator[str]:
    before = {post["external_id"]: post for post in expected["posts"]}
    after = {post["external_id"]: post for post in page["posts"]}
    for one in before.keys() - after.keys():
        yield f"post {one} is not read any more"
    for one in after.keys() - before.keys():
        yield f"post {one} is new"
    for one in (key for key in before if key in after and before[key] != after[key]):
        names = sorted({*before[one], *after[one]})
        changed = [name for name in names if before[one].get(name) != after[one].get(name)]
        yield f"post {one}: {', '.join(changed)} differ"
    for name in ("problems", "next", "ahead", "announced", "gone"):
        if expected.get(name) != page.get(name):
            yield f"{name}: {page.get(name)!r}, expected {expected.get(name)!r}"


def _summary(page: Mapping[str, Any]) -> str:
    if "error" in page:
        return f"{page['error']}: {page.get('says', '')}"
    return f"{len(page['posts'])} posts, {len(page['problems'])} problems, next {page['next']}"


def _say(found: Sequence[Checked]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for one in found:
        console.print(
            "ok  " if one.is_ok else "FAIL", style="green" if one.is_ok else "red", end=""
        )
        console.print(f" {one.name}: pages {one.pages}, posts {one.posts}", markup=False)
        for reason in one.reasons[:_MOST_SAID]:
            console.print(f"     {reason}", markup=False)
        if len(one.reasons) > _MOST_SAID:
            console.print(f"     … and {len(one.reasons) - _MOST_SAID} more", markup=False)
