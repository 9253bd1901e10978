"""Pages per second of processor time: our crawler against plain Scrapy with the same parse.

    python -m bench.crawl [PAGES]

Both walk the same search on a loopback server, one page after the other. Plain Scrapy reads the
posts and forgets them, or inserts them into one table, a transaction a page; ours asks robots.txt,
guards addresses, weighs each page, and commits its posts with where the run stands, the answer they
were read in, their words for searching and a job for the judge. The processor time of the database
itself is shown beside it.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from core.database import owner_engine
from core.migrate import upgrade
from core.models import Source
from core.postgres.cluster import running
from core.settings import CrawlSection, LogSection
from core.types import Post
from crawlers.catalogue import register_kinds, spiders
from crawlers.contract import Fetched
from crawlers.wire import Greeting, Order, Report, Tick, greeting_line, line, read

HITS = 20
TEXT = "The parcel was announced for Monday and it is Friday now; nobody answers the phone. " * 4


def main(pages: int) -> None:
    """Crawl three times, and compare."""
    with _server(pages) as port, _database() as (url, postmaster):
        before = _cpu_of_tree(postmaster)
        ours = _ours(port, pages, url)
        database = _cpu_of_tree(postmaster) - before
        plain = _plain(port, pages)
        storing = _plain(port, pages, url)
    rates = {
        "ours": pages / ours,
        "plain Scrapy": pages / plain,
        "plain Scrapy that inserts": pages / storing,
    }
    for name, rate in rates.items():
        print(f"{name:25} {rate:7.0f} pages per CPU-second {rates['ours'] / rate:7.2f}")
    print(f"Postgres beside ours: {database / pages * 1000:.1f} ms of CPU a page of {HITS} posts")


@contextmanager
def _database() -> Iterator[tuple[str, int]]:
    """A throw-away server: its address and the id of its process."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with running(data, options={"fsync": "off"}) as server:
            yield server.url, int((data / "postmaster.pid").read_text().split()[0])


def _ours(port: int, pages: int, url: str) -> float:
    engine = owner_engine(url)
    upgrade(engine)
    source_id = _add_source(engine, port)
    engine.dispose()
    greeting = Greeting(
        database_url=url,
        crawl=CrawlSection(
            delay_seconds=0,
            longest_delay_seconds=0,
            max_pages_per_run=pages + 1,
            allowed_addresses=[f"127.0.0.1:{port}"],
        ),
        log=LogSection(level="warning"),
    )
    return _cpu_of_child(greeting, source_id, pages)


def _add_source(engine: Any, port: int) -> int:
    now = datetime.now(UTC)
    with Session(engine) as session, session.begin():
        register_kinds(session, now)
        source = Source(
            slug="bench", kind="hackernews", params=_params(port), interval_seconds=3600
        )
        session.add(source)
        session.flush()
        return source.id


def _params(port: int) -> dict[str, Any]:
    return {"query": "parcel", "base_url": f"http://127.0.0.1:{port}"}


def _cpu_of_child(greeting: Greeting, source_id: int, pages: int) -> float:
    """Seconds of processor time from the order to the report."""
    with subprocess.Popen(
        [sys.executable, "-m", "crawlers.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(greeting_line(greeting))
        child.stdin.flush()
        while not isinstance(read(child.stdout.readline()), Tick):
            pass
        watched = psutil.Process(child.pid)
        before = _cpu(watched)
        child.stdin.write(line(Order(job=1, source_id=source_id)))
        child.stdin.flush()
        while not isinstance(message := read(child.stdout.readline()), Report):
            pass
        spent = _cpu(watched) - before
        assert message.outcome == "ok", message
        assert message.reason.startswith(f"{pages * HITS} posts"), message
        child.stdin.close()
    return spent


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _cpu_of_tree(pid: int) -> float:
    """Also of children that have ended: their parent counts them."""
    top = psutil.Process(pid)
    return sum(_cpu(one) for one in (top, *top.children(recursive=True)))


def _plain(port: int, pages: int, database: str = "") -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.crawl", "plain", str(port), database],
        capture_output=True,
        text=True,
        check=True,
    )
    spent, posts = done.stdout.split()
    assert int(posts) == pages * HITS, done.stdout
    return float(spent)


def crawl_plainly(port: int, database: str) -> None:
    """Scrapy as its tutorial has it, with our spider's parse; prints its CPU time and its posts."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    spider = spiders()["hackernews"]
    config = spider.config(**_params(port))
    found: list[Any] = []
    keep = _inserter(database) if database else found.extend

    class Tutorial(scrapy.Spider):
        name = "tutorial"
        ahead: dict[str, Any] = {}  # noqa: RUF012

        async def start(self) -> AsyncIterator[scrapy.Request]:
            yield scrapy.Request(spider.start(config, cursor={}).url)

        def parse(self, response: Any) -> Iterator[scrapy.Request]:
            fetched = Fetched(
                url=response.url,
                status=response.status,
                headers={"content-type": "application/json"},
                body=response.body,
                fetched_at=datetime.now(UTC),
            )
            page = spider.parse(fetched, config, cursor={}, ahead=self.ahead)
            self.ahead = dict(page.ahead)
            keep(page.posts)
            if database:
                found.extend(page.posts)
            if page.next is not None:
                yield scrapy.Request(page.next.url, headers=dict(page.next.headers))

    process = CrawlerProcess({"LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False})
    process.crawl(Tutorial)
    before = time.process_time()
    process.start()
    print(time.process_time() - before, len(found))


def _inserter(database: str) -> Callable[[Sequence[Post]], None]:
    """As the pipelines of Scrapy's tutorials: what is there already stays as it is."""
    url = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(url)
    connection.execute(
        "CREATE TABLE plain (id text PRIMARY KEY, url text, author text, at timestamptz, said text)"
    )
    connection.commit()
    insert = "INSERT INTO plain VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"

    def keep(posts: Sequence[Post]) -> None:
        rows = [(p.external_id, p.url, p.author, p.published_at, p.text) for p in posts]
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        connection.commit()

    return keep


@contextmanager
def _server(pages: int) -> Iterator[int]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there, pages), daemon=True)
    process.start()
    yield here.recv()
    process.terminate()
    process.join()


def _serve(there: Connection, pages: int) -> None:
    newest = int(time.time()) - 60

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            is_search = parts.path.endswith("/search_by_date")
            number = int(parse_qs(parts.query).get("page", ["0"])[0])
            body = _page(number, pages, newest) if is_search else b""
            self.send_response(200 if is_search else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.send(server.server_address[1])
    server.serve_forever()


def _page(number: int, pages: int, newest: int) -> bytes:
    hits = [
        {
            "objectID": str(place),
            "author": f"user{place % 97}",
            "comment_text": f"{TEXT} ({place})",
            "created_at_i": newest - place * 60,
            "_tags": ["comment"],
        }
        for place in range(number * HITS, (number + 1) * HITS)
    ]
    answer = {"hits": hits, "page": number, "nbPages": pages, "hitsPerPage": HITS}
    return json.dumps(answer | {"nbHits": pages * HITS}).encode()


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        crawl_plainly(int(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
