"""CPU seconds and memory that each spider takes over a page of many thousand posts.

    nice -n 15 python -m bench.huge_pages [--megabytes 2] [KIND ...]

Each page is one of the tests, with one of its posts again and again, every time under another id.
CPU seconds and MiB are those of one go; "read" is how many posts that read, and "says" what
becomes of the others: they are read in the next goes, or the spider says in words why not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from bench.recordings import show
from crawlers.catalogue import spiders
from crawlers.contract import Page
from crawlers.errors import CrawlError
from tests.crawlers.enlarged import Enlarged, page_of

#: Pages of a kind that are read by other ways than its largest.
ALSO = (
    ("bbb", "conversation"),
    ("bbb-reviews", "page_with_cards"),
    ("consumeraffairs", "first"),
    ("discourse", "topic"),
    ("feed", "blog_en"),
    ("feed", "comments_lt"),
    ("reddit", "first"),
    ("ripoffreport", "report_rebutted"),
    ("schema-org", "cards"),
    ("schema-org", "microdata"),
    ("schema-org", "rdfa"),
)
HEAD = ["page", "posts", "MB", "CPU s", "MiB", "read", "says"]


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("kinds", nargs="*", help="all without any")
    arguments.add_argument("--megabytes", type=float, default=2.0)
    given = arguments.parse_args()
    kinds = given.kinds or sorted(spiders())
    pages = sorted(
        [*((kind, None) for kind in kinds), *(one for one in ALSO if one[0] in kinds)],
        key=lambda one: (one[0], one[1] or ""),
    )
    rows = [_apart(kind, name, round(given.megabytes * 1e6)) for kind, name in pages]
    show([HEAD, *rows], is_markdown=False)


def _apart(kind: str, name: str | None, size: int) -> list[str]:
    """In a process of its own, whose memory no other page has stretched."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        row = pool.submit(measured, kind, name, size).result()
    print(*row, file=sys.stderr, flush=True)
    return row


def measured(kind: str, name: str | None, size: int) -> list[str]:
    """One row; the first reading of a small page is not counted, for it imports."""
    large = Enlarged(page_of(kind, name=name))
    copies = large.copies_in(size)
    body = large.body(copies)
    large.read(large.body(1))
    memory, began = _most_memory(), time.process_time()
    try:
        found = large.read(body)
        read, says = len(found.posts), _said(found)
    except CrawlError as error:
        read, says = 0, str(error)
    took = time.process_time() - began
    return [
        f"{kind}/{large.page.path.name}",
        str(copies),
        f"{len(body) / 1e6:.1f}",
        f"{took:.2f}",
        f"{(_most_memory() - memory) / 2**20:.0f}",
        str(read),
        says[:70],
    ]


def _said(page: Page) -> str:
    """What becomes of the items that were not read."""
    if page.dead_end is not None:
        return str(page.dead_end)
    if page.next is not None and "from" in page.next.state:
        return "goes on"
    return page.problems[0].reason if page.problems else ""


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
