"""Whatever a site answers, a spider returns a page or says in words why not, and soon."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path

import pytest

from crawlers.contract import Page
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError
from tests.crawlers.kinds import one_of_each_family
from tests.crawlers.saved_pages import parse, saved_pages

SECONDS = 1.0
MEMORY = 256 * 1024 * 1024
KINDS = one_of_each_family()
FIVE_MB = "Ta opinia nie ma końca. " * 210_000


def survive(kind: str, body: bytes, **given: str) -> Page | CrawlError:
    """Parse against the clock of the processor; any error but the contract's own fails the test."""
    before = _memory()
    result, seconds = _read(kind, body, **given)
    assert _memory(most=True) - before <= MEMORY
    if seconds > SECONDS:  # as other processes may make a single reading
        seconds = min(_read(kind, body, **given)[1] for _ in range(2))
    assert seconds <= SECONDS
    assert isinstance(result, Page) or len(str(result)) > len("a reason")
    return result


def _read(kind: str, body: bytes, **given: str) -> tuple[Page | CrawlError, float]:
    """What came of it, and the seconds of processor time that it took."""
    started = time.process_time()
    try:
        result: Page | CrawlError = parse(kind, body, **given)  # type: ignore[arg-type]
    except CrawlError as error:
        result = error
    return result, time.process_time() - started


def _memory(*, most: bool = False) -> int:
    """Bytes that this process holds, or the most since it was last asked, where Linux tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    if not most:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    name = "VmHWM" if most else "VmRSS"
    found = re.search(rf"{name}:\s+(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else 0


def test_the_measure_of_memory_measures() -> None:
    before = _memory()
    held = bytearray(64 * 1024 * 1024)
    held[::4096] = b"x" * len(held[::4096])
    del held
    assert before == 0 or _memory(most=True) - before > 48 * 1024 * 1024


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "folder",
    ["feeds", "xml", "json", "html5lib", "strings", "unicode", "url", "robots", "dates", "xss"],
)
def test_no_hostile_file_crashes_a_spider(shared: Path, kind: str, folder: str) -> None:
    files = [p for p in (shared / "fixtures/hostile" / folder).rglob("*") if p.is_file()]
    assert files
    for path in files:
        result = survive(kind, path.read_bytes())
        if isinstance(result, Page):
            assert all(post.external_id for post in result.posts), path.name
            assert len({post.external_id for post in result.posts}) == len(result.posts), path.name


def test_feeds_of_the_attack_collection_end_as_it_says(shared: Path) -> None:
    folder = shared / "fixtures/hostile/xml/own"
    lines = (folder / "EXPECT.jsonl").read_text("utf-8").splitlines()
    secret = Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").exists() else ""
    for expected in map(json.loads, lines):
        result = survive("feed", (folder / expected["file"]).read_bytes())
        if expected["parse"] == "refuse":
            assert isinstance(result, DriftError), expected
        if expected["parse"] == "ok" and expected["file"].startswith("rss"):
            assert isinstance(result, Page), expected
            assert result.posts or result.problems, expected
        if isinstance(result, Page) and secret:
            assert not any(secret in f"{post.title}{post.text}" for post in result.posts)
        if isinstance(result, Page):
            assert all(re.match(r"https?://", post.url) for post in result.posts)


def test_titles_of_the_attack_collection_are_whole(shared: Path) -> None:
    folder = shared / "fixtures/hostile/xml/own"

    def titles(name: str) -> list[str | None]:
        return [post.title for post in parse("feed", (folder / name).read_bytes()).posts]

    assert titles("rss_cp1250.xml") == ["Źle"]
    assert titles("rss_cp1257.xml") == ["Blogai, labai blogai"]
    assert titles("rss_truncated.xml") == ["whole"]
    assert titles("atom_external_dtd.xml") == ["kept"]
    assert len(titles("rss_guid_traps.xml")) == 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n\t",
        b"\x00" * 1000,
        b"\xff\xfe\xfd\xfc" * 5000,
        bytes(range(256)) * 400,
        b"<" * 400_000,
        b"<a " * 200_000,
        b"&" * 400_000,
        b"<![CDATA[" * 50_000,
        b"<!--" * 100_000,
        b"<!DOCTYPE " * 50_000,
        b"<div>" * 200_000 + b"hidden" + b"</div>" * 200_000,
        b"[" * 400_000,
        b'{"hits":' * 100_000,
        b"<script " * 60_000,
        b'<script id="__NEXT_DATA__">' + b"[" * 200_000,
        b'<script id="__NEXT_DATA__">' * 20_000,
        b"<rss><channel>" + b"<item>" * 100_000,
        b"<title " * 60_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_garbage_is_said_to_be_garbage(kind: str, body: bytes) -> None:
    result = survive(kind, body)
    if isinstance(result, Page):
        assert not result.posts


@pytest.mark.parametrize("kind", KINDS)
def test_a_charset_that_lies_ends_in_a_page_or_in_words(kind: str) -> None:
    saved = next(page for page in saved_pages(kind) if page.expected.get("posts"))
    given, body = saved.expected.get("given", {}), saved.path.read_bytes()
    text = body.decode("utf-8", "replace")
    for charset in ("utf-16", "utf-7", "koi8-r", "x-user-defined", "idna", "zlib", "no such"):
        said = {**given, "content_type": f"text/html; charset={charset}"}
        result = survive(kind, body, **said)
        # What is plain UTF-8 is read as such, whatever the header says.
        assert isinstance(result, Page), (charset, result)
    for written in (text.encode("utf-16"), text.encode("utf-32"), text.encode("utf-16-be")):
        survive(kind, written, **{**given, "content_type": "text/html; charset=utf-8"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((401, AuthError), (403, BlockedError), (429, BlockedError)),
        *((404, CrawlError), (500, CrawlError), (302, CrawlError)),
    ],
)
def test_a_refusal_is_an_error_in_words(kind: str, status: int, error: type[CrawlError]) -> None:
    with pytest.raises(error, match=str(status)):
        parse(kind, b"<html>whatever</html>", status=status)


def test_a_post_of_five_megabytes_is_whole_in_a_feed() -> None:
    item = f"<item><guid>x</guid><description>{FIVE_MB}</description></item>"
    result = survive("feed", f"<rss><channel>{item}</channel></rss>".encode())
    assert isinstance(result, Page)
    assert result.posts[0].text == FIVE_MB.strip()


def test_a_post_of_five_megabytes_is_whole_in_json() -> None:
    hit = {"objectID": "1", "comment_text": FIVE_MB, "created_at_i": 1772452700}
    result = survive("hackernews", json.dumps({"hits": [hit], "nbHits": 1}).encode())
    assert isinstance(result, Page)
    assert result.posts[0].text == FIVE_MB.strip()


def test_a_post_behind_two_hundred_thousand_tags_is_found() -> None:
    nested = "<b>" * 200_000 + "still here" + "</b>" * 200_000
    hit = {"objectID": "1", "comment_text": nested, "created_at_i": 1772452700}
    page = survive("hackernews", json.dumps({"hits": [hit], "nbHits": 1}).encode())
    assert isinstance(page, Page)
    assert page.posts[0].text == "still here"


def test_cards_nested_too_deep_for_a_tree_are_said_to_be_lost() -> None:
    card = '<div class="rvw" data-id="1"><div class="rvw-bd"><p>Hidden</p></div></div>'
    page = "<html><body>" + "<div>" * 5000 + card + "</div>" * 5000
    result = survive("consumeraffairs", page.encode())
    assert isinstance(result, DriftError)
    assert "deep" in str(result)


def test_signs_that_cannot_be_kept_do_not_end_a_search() -> None:
    hit = r'{"objectID": "a\ud800b", "title": "x\u0000y", "author": "\udfff", "_tags": ["\ud801"]}'
    page = survive("hackernews", f'{{"hits": [{hit}], "nbHits": 1}}'.encode())
    assert isinstance(page, Page)
    assert (page.posts[0].external_id, page.posts[0].title) == ("a\ufffdb", "x\ufffdy")
