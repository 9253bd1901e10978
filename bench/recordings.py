"""Read every recording of the real sites and print how much of each was read.

    python -m bench.recordings [--markdown] [FOLDER]

The posts of a page are counted a second time by other means than the spider's: by feedparser, in
the plain JSON, in what the page tells search engines, in its HTML. The two counts must agree.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Fetched, Page
from crawlers.errors import CrawlError

FOLDERS = {
    "rss": "feed",
    "hackernews": "hackernews",
    "trustpilot": "trustpilot",
    "consumeraffairs": "consumeraffairs",
}
CONFIGS: Mapping[str, Mapping[str, str]] = {
    "feed": {"url": "https://recorded.example/feed"},
    "hackernews": {"query": "recorded"},
    "trustpilot": {"domain": "recorded.example"},
    "consumeraffairs": {"url": "https://www.consumeraffairs.com/recorded.html"},
}
FIELDS = (
    "title text author published_at edited_at language rating parent_id engagement extra".split()  # noqa: SIM905
)
READ_AT = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One saved answer of a real site."""

    kind: str
    path: Path

    @property
    def body(self) -> bytes:
        """The answer as it came; HN's are wrapped in a note about their recording."""
        body = gzip.decompress(raw) if (raw := self.path.read_bytes())[:2] == b"\x1f\x8b" else raw
        if self.kind == "hackernews":
            return json.dumps(json.loads(body)["body"]).encode()
        return body

    def read(self) -> Page:
        """Let the spider read it."""
        spider = spiders()[self.kind]
        config = spider.config(**CONFIGS[self.kind])
        url = spider.start(config, cursor={}).url
        fetched = Fetched(url=url, status=200, headers={}, body=self.body, fetched_at=READ_AT)
        return spider.parse(fetched, config, cursor={}, ahead={})

    def counted(self) -> int:
        """How many posts the page holds, counted without the spider."""
        return _COUNT[self.kind](self.body)


def recordings(folder: Path) -> Iterator[Recording]:
    """Every recording that one of the spiders must read."""
    for name, kind in FOLDERS.items():
        for path in sorted((folder / name).iterdir()):
            if path.name != "SOURCES.md":
                yield Recording(kind=kind, path=path)


def filled(posts: Sequence[Post]) -> dict[str, int]:
    """Of how many posts each field says something."""
    nothing: tuple[object, ...] = (None, "", {})
    return {name: sum(getattr(post, name) not in nothing for post in posts) for name in FIELDS}


def _count_feed(body: bytes) -> int:
    if body.lstrip().startswith(b"{"):
        return len(json.loads(body)["items"])
    return len(feedparser.parse(body).entries)


def _count_hits(body: bytes) -> int:
    return len(json.loads(body).get("hits", ()))


def _count_json_ld(body: bytes) -> int:
    page = body.decode("utf-8")
    blocks = re.findall(r"<script[^>]*application/ld\+json[^>]*>(.*?)</script>", page, re.S)
    graphs: list[Any] = [json.loads(block).get("@graph", []) for block in blocks]
    things = [thing for graph in graphs if isinstance(graph, list) for thing in graph]
    return sum(thing.get("@type") == "Review" for thing in things)


def _count_microdata(body: bytes) -> int:
    return len(re.findall(rb'itemprop="reviews"', body))


_COUNT = {
    "feed": _count_feed,
    "hackernews": _count_hits,
    "trustpilot": _count_json_ld,
    "consumeraffairs": _count_microdata,
}


def main() -> int:
    """Print the table; the exit code is the number of recordings whose counts disagree."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[2] / "shared"))
    arguments.add_argument("folder", nargs="?", type=Path, default=default / "fixtures")
    arguments.add_argument("--markdown", action="store_true", help="as a table of a note")
    given = arguments.parse_args()
    rows = [_row(recording) for recording in recordings(given.folder)]
    head = ["recording", "posts", "counted", "problems", *FIELDS, "reply"]
    _show([head, *rows, _sums(rows)], is_markdown=given.markdown)
    return sum(row[1] != row[2] for row in rows)


def _row(recording: Recording) -> list[str]:
    name, counted = f"{recording.kind}: {recording.path.name}", str(recording.counted())
    try:
        page = recording.read()
    except CrawlError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return [name, "0", counted, "refused", *["0"] * len(FIELDS), "0"]
    fill = [str(count) for count in filled(page.posts).values()]
    replies = str(sum("reply" in post.extra for post in page.posts))
    return [name, str(len(page.posts)), counted, str(len(page.problems)), *fill, replies]


def _sums(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = list(zip(*rows, strict=True))[1:]
    sums = [sum(int(cell) for cell in column if cell.isdigit()) for column in columns]
    return ["sum", *map(str, sums)]


def _show(table: Sequence[Sequence[str]], *, is_markdown: bool) -> None:
    if is_markdown:
        head, *rest = table
        lines = [head, ["---", *["--:"] * (len(head) - 1)], *rest]
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
        return
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *line in table:
        cells = [cell.rjust(width) for cell, width in zip(line, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]))


if __name__ == "__main__":
    sys.exit(main())
