"""Read every recording of the real sites and print how much of each was read.

    python -m bench.recordings [--markdown] [FOLDER]

The posts of a page are counted a second time by other means than the spider's: by feedparser, in
the plain JSON, in what the page tells search engines, in its HTML. The two counts must agree.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.recording import Recording, recordings
from core.types import Post
from crawlers.errors import CrawlError

FIELDS = (
    "title text author published_at edited_at language rating parent_id engagement extra".split()  # noqa: SIM905
)


def filled(posts: Sequence[Post]) -> dict[str, int]:
    """Of how many posts each field says something."""
    nothing: tuple[object, ...] = (None, "", {})
    return {name: sum(getattr(post, name) not in nothing for post in posts) for name in FIELDS}


def main() -> int:
    """Print the table; the exit code is the number of recordings whose counts disagree."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(os.environ.get("GOODNAME_SHARED", Path(__file__).parents[2] / "shared"))
    arguments.add_argument("folder", nargs="?", type=Path, default=default / "fixtures")
    arguments.add_argument("--markdown", action="store_true", help="as a table of a note")
    given = arguments.parse_args()
    rows = [_row(recording) for recording in recordings(given.folder)]
    head = ["recording", "posts", "counted", "problems", *FIELDS, "reply"]
    show([head, *rows, _sums(rows)], is_markdown=given.markdown)
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


def show(table: Sequence[Sequence[str]], *, is_markdown: bool) -> None:
    """Print a table, its columns below each other."""
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
