"""The table of every source: what it is, what it has read, and how much code it takes.

    python -m bench.sources [--markdown] [FOLDER]

Fill rates are over the posts of the recordings in FOLDER; a kind without recordings has read only
pages that we wrote ourselves, and its rates are over those.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.recording import recorded, recordings
from bench.recordings import filled, show
from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Spider
from crawlers.errors import CrawlError
from goodname.sources.code_lines import code_lines

FIELDS = ("text", "title", "author", "published_at", "rating", "parent_id", "engagement", "reply")
_PAGES = Path(__file__).parents[1] / "tests" / "crawlers" / "pages"


@dataclass(slots=True, kw_only=True)
class Row:
    """One kind."""

    spider: Spider
    recordings: int = 0
    pages: int = 0  #: that we wrote ourselves
    posts: int = 0
    filled: Counter[str] = field(default_factory=Counter)

    def add(self, posts: Sequence[Post]) -> None:
        """Count the posts of one page."""
        self.posts += len(posts)
        self.filled.update({name: n for name, n in filled(posts).items() if name in FIELDS})
        self.filled["reply"] += sum("reply" in post.extra for post in posts)

    def cells(self) -> list[str]:
        """As the table shows it."""
        spider = self.spider
        rates = [f"{self.filled[name] / self.posts:.0%}" if self.posts else "" for name in FIELDS]
        read = f"{self.recordings} recorded" if self.recordings else f"{self.pages} invented"
        checked = "verified" if spider.is_verified else "unverified"
        lines = str(code_lines(spider))
        return [spider.kind, spider.family.value, checked, read, str(self.posts), *rates, lines]


def main() -> int:
    """Print the table; 1 when a kind that calls itself verified has read no recording."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[2] / "shared"))
    arguments.add_argument("folder", nargs="?", type=Path, default=default / "fixtures")
    arguments.add_argument("--markdown", action="store_true", help="as a table of a note")
    given = arguments.parse_args()
    rows = table(given.folder)
    head = ["kind", "family", "checked", "pages", "posts", *FIELDS, "lines"]
    show([head, *(row.cells() for row in rows)], is_markdown=given.markdown)
    boasts = [row.spider.kind for row in rows if row.spider.is_verified and not row.recordings]
    for kind in boasts:
        print(f"{kind} calls itself verified and has read no recording", file=sys.stderr)
    return 1 if boasts else 0


def table(folder: Path) -> list[Row]:
    """All kinds by their names."""
    rows = {kind: Row(spider=spider) for kind, spider in sorted(spiders().items())}
    for one in recordings(folder, kinds=set(recorded())):
        rows[one.kind].recordings += 1
        try:
            rows[one.kind].add(one.read().posts)
        except CrawlError as error:
            print(f"{one.kind}: {one.path.name}: {error}", file=sys.stderr)
    for row in rows.values():
        pages = list(_invented(row.spider.kind))
        row.pages = len(pages)
        if not row.recordings:
            for posts in pages:
                row.add(posts)
    return list(rows.values())


def _invented(kind: str) -> Iterable[Sequence[Post]]:
    """The posts of the pages of the tests, as their reviewed expectations say."""
    for path in sorted((_PAGES / kind).glob("*.expected.json")):
        expected: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        yield [_post(one) for one in expected.get("posts", ())]


def _post(written: Mapping[str, Any]) -> Post:
    return Post(**{"text": "", "url": "", **written})


if __name__ == "__main__":
    sys.exit(main())
